"""Who says what is correct: ours is `srpo.verifiers`; these are others'."""
