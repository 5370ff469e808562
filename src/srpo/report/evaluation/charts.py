"""An evaluation's charts: what is within reach, and how rates and lengths are spread."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

from srpo.report.chart import Axis, Chart, Series, ticks
from srpo.report.colors import PALETTE
from srpo.report.evaluation.sample import SetSample
from srpo.report.plain import tick_text

COLORS = [name for name in PALETTE if name not in ("ink", "pale")]
SAMPLES = 32  # up to so many responses a problem, each number of correct ones has its own bar
LENGTHS = 16  # bars, about


def charts(result: dict[str, Any], samples: list[SetSample]) -> list[Chart]:
    """One of pass@k and one of pass rates for all sets, one of lengths for each."""
    found = [_rates(result["config"]["samples"], samples), *map(_lengths, count(), samples)]
    return [_pass_at_k(result), *found] if result["config"]["samples"] > 1 else found


def _pass_at_k(result: dict[str, Any]) -> Chart:
    ks = list(result["sets"][0]["numbers"]["pass@k"])
    curves = [
        Series(one["title"], _color(i), [one["numbers"]["pass@k"][k] for k in ks])
        for i, one in enumerate(result["sets"])
    ]
    return Chart(
        "Numbers",
        "pass-at-k",
        "pass@k",
        "The chance that at least one of k responses is correct: what is within reach.",
        unit="share",
        smoothed=False,
        axis=Axis("k", list(map(float, ks)), ks, high=float(ks[-1])),
        series=curves,
    )


def _rates(n: int, samples: list[SetSample]) -> Chart:
    bars = min(n, SAMPLES)
    names = [f"{i}" if n <= SAMPLES else f"{100 * i / bars:.0f}%" for i in range(bars + 1)]
    what = f"by how many of their {n} responses are" if n <= SAMPLES else "by the share that is"
    return Chart(
        "Numbers",
        "rates",
        "Pass rates",
        f"Problems {what} correct.",
        "bars",
        "count",
        axis=_bars("correct", names),
        series=[
            Series(s.title, _color(i), _binned(s.survey.correct, n, bars))
            for i, s in enumerate(samples)
        ],
    )


def _binned(correct: Counter[int], n: int, bars: int) -> list[float]:
    """Problems in each bar: the nearest one, upwards from the middle."""
    counts = [0.0] * (bars + 1)
    for c, problems in correct.items():
        counts[(2 * c * bars + n) // (2 * n)] += problems
    return counts


def _lengths(i: int, s: SetSample) -> Chart:
    longest = max(tokens for tokens, _ in s.survey.lengths)
    width = max(1, round(ticks(0.0, float(longest), LENGTHS)[:2][-1]))
    counts = {right: [0.0] * (longest // width + 1) for right in (True, False)}
    for (tokens, right), responses in s.survey.lengths.items():
        counts[right][tokens // width] += responses
    names = [tick_text(float(i * width), "count") for i in range(longest // width + 1)]
    return Chart(
        "Lengths",
        f"lengths-{i}",
        s.title,
        f"Responses by their tokens, each bar {width:,} wide, from the number under it.",
        "bars",
        "count",
        axis=_bars("tokens", names),
        series=[
            Series("correct", "green", counts[True]),
            Series("incorrect", "red", counts[False]),
        ],
    )


def _bars(name: str, labels: list[str]) -> Axis:
    return Axis(name, [i + 0.5 for i in range(len(labels))], labels, high=float(len(labels)))


def _color(i: int) -> str:
    return COLORS[i % len(COLORS)]
