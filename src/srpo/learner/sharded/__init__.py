"""A learner whose model is split over several processes (FSDP2)."""
