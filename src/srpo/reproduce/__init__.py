"""The paper's comparisons on the scale model: `srpo reproduce`."""
