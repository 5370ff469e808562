"""One pass over an evaluation's responses: counts for the charts, and which problems to show.

Nothing here grows with the number of responses, and no text of theirs is read.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from srpo.evaluation.store import GRADERS, Row
from srpo.report.evaluation.files import part_files, problems_of
from srpo.types import Outcome

PROBLEMS, DISPUTED = 40, 30  # of a set, at most
STRATA = 10  # of pass rates, beside all wrong

COLUMNS = ["id", "outcome", "tokens", *(f"{g}: outcome" for g in GRADERS)]


class Choice(NamedTuple):
    """A problem that may be shown: its place in the set, and the file that it is in."""

    at: int
    id: str
    file: Path


@dataclass
class Survey:
    """Of one set.

    correct   problems by how many of their responses are correct
    lengths   responses by their tokens and whether they are correct
    disputed  responses on which graders disagree
    failed    responses that a grader beside ours failed to judge, by its name
    choices   problems to show, the most telling first
    """

    problems: int = 0
    correct: Counter[int] = field(default_factory=Counter)
    lengths: Counter[tuple[int, bool]] = field(default_factory=Counter)
    disputed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    choices: list[Choice] = field(default_factory=list)


class _Spread:
    """Problems of each pass rate alike: up to PROBLEMS of a stratum, drawn as they pass by
    (Vitter's algorithm R, 1985), with a seed."""

    def __init__(self) -> None:
        self._rng = random.Random(0)
        self._seen: Counter[int] = Counter()
        self._kept: dict[int, list[Choice]] = {}

    def add(self, stratum: int, choice: Choice) -> None:
        kept = self._kept.setdefault(stratum, [])
        self._seen[stratum] += 1
        if len(kept) < PROBLEMS:
            kept.append(choice)
        elif (place := self._rng.randrange(self._seen[stratum])) < PROBLEMS:
            kept[place] = choice

    def chosen(self) -> list[Choice]:
        """One of each stratum, then another of each, and so on."""
        rounds = zip_longest(*(self._kept[s] for s in sorted(self._kept)))
        return [c for together in rounds for c in together if c is not None][:PROBLEMS]


def survey(out: Path, name: str) -> Survey:
    """Of a set's responses. Raises UserError."""
    found, spread, disputed = Survey(), _Spread(), list[Choice]()
    for file, rows in _problems(out, name):
        choice = Choice(found.problems, rows[0]["id"], file)
        correct = sum(row["outcome"] == Outcome.CORRECT for row in rows)
        found.problems += 1
        found.correct[correct] += 1
        found.lengths.update((row["tokens"], row["outcome"] == Outcome.CORRECT) for row in rows)
        found.failed.update(g for g in GRADERS for r in rows if r[f"{g}: outcome"] == Outcome.ERROR)
        quarrels = sum(map(is_disputed, rows))
        found.disputed += quarrels
        if quarrels and len(disputed) < DISPUTED:
            disputed.append(choice)
        spread.add(-(-correct * STRATA // len(rows)), choice)
    pairs = zip_longest(disputed, spread.chosen())
    found.choices = list(dict.fromkeys(c for pair in pairs for c in pair if c is not None))
    return found


def _problems(out: Path, name: str) -> Iterator[tuple[Path, list[Row]]]:
    for file in part_files(out, name):
        for rows in problems_of(file, COLUMNS):
            yield file, rows


def is_disputed(row: Row) -> bool:
    """Whether a grader's verdict is another than ours; a failure of its own is no verdict."""
    return any(row[f"{g}: outcome"] not in (None, Outcome.ERROR, row["outcome"]) for g in GRADERS)
