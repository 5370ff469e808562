"""What responses show of reasoning: rules without a model, the same each time."""
