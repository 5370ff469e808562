"""A run's model as a folder that others can use."""
