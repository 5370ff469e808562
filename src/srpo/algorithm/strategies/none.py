"""GRPO (arXiv 2402.03300): every prompt in every epoch, and every group in the batch."""

from __future__ import annotations

from srpo.algorithm.strategies.base import Strategy


class NoneStrategy(Strategy):
    """What `Strategy` does when nobody overrides it."""
