"""Reasoning behaviours over a run's steps, and where they are in a text.

The rules read about half a megabyte a second, so a report looks at a sample of a long run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from srpo.metrics import Row
from srpo.reasoning.behaviours import Mark, find_marks
from srpo.reasoning.statistics import shown_in
from srpo.report.reader import Record, Run, read_groups

STEPS = 60  # at most, at even distances
CHARACTERS = 1_500_000  # of all responses that are looked at
PREFIX = "behaviour/"


def with_behaviours(run: Run, rows: list[Row]) -> list[Row]:
    """The rows with the share of responses that show each behaviour. Steps that are not looked at
    have the last one's; a behaviour that no response shows is left out."""
    files = run.files.rollout_files()
    steps = sorted(files)
    chosen = steps[:: -(-len(steps) // STEPS)] if steps else []
    shares = {step: _shares(read_groups(files[step]), CHARACTERS // len(chosen)) for step in chosen}
    shown = {name for found in shares.values() for name, share in found.items() if share}
    found, latest = [], {}
    for row in rows:
        latest = shares.get(row["step"], latest)
        found.append(row | {PREFIX + n: s for n, s in latest.items() if n in shown})
    return found


@lru_cache(maxsize=4096)
def marks_of(text: str) -> tuple[Mark, ...]:
    """The behaviours of a text that is shown."""
    return tuple(find_marks(text))


def _shares(groups: Iterator[Record], characters: int) -> dict[str, float]:
    """Of the first responses that have so many characters together."""
    counts: defaultdict[str, int] = defaultdict(int)
    responses = 0
    for group in groups:
        for rollout in islice(group["rollouts"], 16):
            text = str(rollout["text"])
            for name, times in shown_in(text, domain=str(group["domain"])).items():
                counts[name] += times > 0
            responses += 1
            characters -= len(text)
        if characters < 0:
            break
    return {name: count / responses for name, count in counts.items()} if responses else {}
