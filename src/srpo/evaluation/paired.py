"""Two models on the same questions: the difference of each question's rates, averaged.

The questions' own difficulty is in both and drops out, so the difference is known far better than
either score (arXiv 2411.00640, section 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from srpo.evaluation.passk import student95


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the second from the first, with its 95% interval over questions; `unpaired` is half of
    that which two scores without pairing would have. better, worse: questions."""

    questions: int
    first: float
    second: float
    mean: float
    error: float
    low: float
    high: float
    unpaired: float
    better: int
    worse: int

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """From the pass rates of at least two questions, in the same order."""
    n = len(first)
    assert n == len(second) > 1, (n, len(second))
    changes = [b - a for a, b in zip(first, second, strict=True)]
    mean, error = sum(changes) / n, _error(changes)
    half = student95(n - 1) * error
    return Difference(
        n,
        sum(first) / n,
        sum(second) / n,
        mean,
        error,
        mean - half,
        mean + half,
        student95(n - 1) * sqrt(_error(first) ** 2 + _error(second) ** 2),
        sum(c > 0 for c in changes),
        sum(c < 0 for c in changes),
    )


def _error(values: Sequence[float]) -> float:
    n = len(values)
    mean = sum(values) / n
    return sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
