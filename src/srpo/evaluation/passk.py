"""pass@k from n samples, and intervals over problems."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt

Z95 = 1.959963984540054


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased chance that at least one of k samples is correct, when c of n were
    (Chen et al. 2021, arXiv 2107.03374, equation 1). Needs k <= n."""
    assert 0 <= c <= n, (c, n)
    assert 1 <= k <= n, (k, n)
    return 1.0 - comb(n - c, k) / comb(n, k)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95% interval over problems (normal approximation, cut to [0, 1])."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, 0.0, 1.0
    half = Z95 * sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    return mean, max(0.0, mean - half), min(1.0, mean + half)
