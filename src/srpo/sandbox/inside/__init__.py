"""What runs on the far side of the wall. Standard library only; nothing of srpo is imported."""
