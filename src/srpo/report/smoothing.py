"""Moving averages, so that a curve's direction can be seen through its noise."""

from __future__ import annotations

import math


def smooth(values: list[float], window: int) -> list[float]:
    """Mean over `window` steps around each value, of those that are there.

    Centred, since a trailing mean shows every rise and fall later than it happened. Where there
    is no value (not-a-number) there is no mean either, so that a line starts where its data do.
    """
    before, after = (window - 1) // 2, window // 2
    means = []
    for i, value in enumerate(values):
        near = [v for v in values[max(0, i - before) : i + after + 1] if not math.isnan(v)]
        means.append(value if math.isnan(value) else sum(near) / len(near))
    return means


def window(steps: int) -> int:
    """How wide to average: a few steps, and not at all in a short run."""
    return max(1, min(10, steps // 8))
