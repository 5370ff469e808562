"""srpo: train language models to reason in mathematics and code with SRPO (arXiv 2504.14286)."""

__version__ = "0.1.0"
