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


def mean_interval(rates: Sequence[float], samples: int = 1) -> tuple[float, float, float]:
    """Mean of the problems' pass rates, and its 95% interval over problems.

    Wilson's interval (1927), in which so many independent answers stand for the problems as would
    have the same variance (Kish's effective sample size): it stays honest where all rates are 0
    or 1 and a normal approximation would be a single point. Then each problem counts as one.

    Args:
        rates: of problems, each from 0 to 1.
        samples: answers behind each rate: no more independent ones than all of them.
    """
    n = len(rates)
    mean = sum(rates) / n
    of_answer, of_mean = mean * (1 - mean), sum((r - mean) ** 2 for r in rates) / max(n - 1, 1) / n
    size = float(n if n == 1 or of_answer < 1e-12 else n * samples)
    if of_mean > 0:
        size = min(size, of_answer / of_mean)
    z = Z95 * Z95 / size
    centre = (mean + z / 2) / (1 + z)
    half = sqrt(z * of_answer + z * z / 4) / (1 + z)
    return mean, max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))
