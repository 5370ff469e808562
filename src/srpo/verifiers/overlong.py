"""A response that comes near its limit loses some reward (DAPO, arXiv 2503.14476 equation 13)."""

from __future__ import annotations


def overlong(tokens: int, limit: int, buffer: int | None) -> float:
    """What is subtracted: 0 up to `buffer` tokens before the limit, from there evenly up to 1."""
    if buffer is None:
        return 0.0
    return min(1.0, max(0.0, (tokens - (limit - buffer)) / buffer))
