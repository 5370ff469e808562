"""Grade any model's answers with the code that is the reward in training: one by one, a file, or
inside other people's trainers (thin adapters, one file each)."""
