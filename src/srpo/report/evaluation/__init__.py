"""What is shown of an evaluation."""
