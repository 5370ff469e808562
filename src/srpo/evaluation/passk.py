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
    Since the variance is an estimate, Student's quantile stands for the normal one, and one more
    problem of the largest variance is counted in: without these, 30 problems that are mostly
    unsolved are within the interval 91 times of 100.

    Args:
        rates: of problems, each from 0 to 1.
        samples: answers behind each rate: no more independent ones than all of them.
    """
    n = len(rates)
    mean = sum(rates) / n
    of_answer = mean * (1 - mean)
    if n == 1 or of_answer < 1e-12:
        return mean, *wilson(mean, float(n))
    squares = sum((r - mean) ** 2 for r in rates)
    of_mean = (squares + of_answer) / n / n
    return mean, *wilson(mean, min(n * samples, of_answer / of_mean), student95(n - 1))


def student95(freedom: int) -> float:
    """Quantile of Student's distribution at 0.975 (Abramowitz and Stegun, 26.7.5), to 1%."""
    if freedom < 3:  # which the series does not reach
        return (12.706, 4.303)[freedom - 1]
    z, v = Z95, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3


def wilson(mean: float, size: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share that `size` independent answers gave; `z` is the quantile."""
    z = z * z / size
    centre = (mean + z / 2) / (1 + z)
    half = sqrt(z * mean * (1 - mean) + z * z / 4) / (1 + z)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))
