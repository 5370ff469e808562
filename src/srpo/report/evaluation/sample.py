"""Which problems and responses an evaluation's page shows: some of each, all that graders disagree
on up to a bound, within a size that does not grow with the evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from srpo.evaluation.store import GRADERS, read_part
from srpo.report.evaluation.files import part_files
from srpo.report.plain import one_line
from srpo.types import FinishReason, Outcome

PROBLEMS, DISAGREEMENTS = 40, 30  # of a set
RESPONSES = 5  # of a problem
LONGEST = 2500  # characters of a text
ROOM = 1_500_000  # characters of all sets' texts

Row = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A response on the page; `beside` are (grader, outcome, why) of the others that judged it."""

    number: int
    outcome: str
    tokens: int
    cut: bool
    answer: str
    detail: str
    text: str
    beside: list[tuple[str, str, str]]

    @property
    def disputed(self) -> bool:
        return any(outcome != self.outcome for _, outcome, _ in self.beside)


@dataclass(frozen=True)
class Asked:
    """A problem on the page; `correct` of `asked` responses are."""

    id: str
    prompt: str
    gold: str
    correct: int
    asked: int
    responses: list[Shown]

    @property
    def disputed(self) -> bool:
        return any(r.disputed for r in self.responses)


@dataclass
class SetSample:
    """Of one set: the pass rate of every problem, and those that are shown."""

    title: str
    problems: int
    rates: list[float] = field(default_factory=list)
    shown: list[Asked] = field(default_factory=list)
    disputed: int = 0  # responses that graders disagree on


def sample(out: Path, sets: list[Row]) -> list[SetSample]:
    """Reads the responses part by part."""
    asked = _questions(out)
    return [_of_set(out, one, asked, ROOM // len(sets)) for one in sets]


def _of_set(out: Path, one: Row, asked: dict[tuple[str, str], Row], room: int) -> SetSample:
    found = SetSample(one["title"], one["numbers"]["problems"])
    every = max(1, -(-found.problems // PROBLEMS))
    disputed = 0
    for index, rows in enumerate(_problems(part_files(out, one["name"]))):
        found.rates.append(sum(r["outcome"] == Outcome.CORRECT for r in rows) / len(rows))
        quarrels = sum(_disputed(row) for row in rows)
        found.disputed += quarrels
        more = quarrels > 0 and disputed < DISAGREEMENTS
        if (index % every and not more) or room <= 0:
            continue
        disputed += quarrels > 0
        problem = _asked(rows, asked[one["name"], rows[0]["id"]])
        room -= len(problem.prompt) + sum(len(r.text) for r in problem.responses)
        found.shown.append(problem)
    return found


def _problems(files: Iterable[Path]) -> Iterator[list[Row]]:
    for file in files:
        for _, rows in groupby(read_part(file), lambda row: row["id"]):
            yield list(rows)


def _questions(out: Path) -> dict[tuple[str, str], Row]:
    rows = pq.read_table(out / "problems.parquet").to_pylist()
    return {(row["benchmark"], row["id"]): row for row in rows}


def _asked(rows: list[Row], question: Row) -> Asked:
    correct = sum(row["outcome"] == Outcome.CORRECT for row in rows)
    prompt = _cut(question["prompt"])
    chosen = [_shown(row) for row in _some(rows)]
    return Asked(question["id"], prompt, question["gold"], correct, len(rows), chosen)


def _some(rows: list[Row]) -> list[Row]:
    """The first of each kind, disputed ones before others."""
    kinds = (
        _disputed,
        lambda r: r["outcome"] == Outcome.CORRECT,
        lambda r: r["outcome"] == Outcome.INCORRECT,
        lambda r: r["finish_reason"] == FinishReason.LENGTH,
        lambda r: r["answer"] is None,
    )
    found = [row for kind in kinds if (row := next(filter(kind, rows), None)) is not None]
    unique = {row["sample"]: row for row in (*found, *rows)}
    return sorted(list(unique.values())[:RESPONSES], key=lambda row: row["sample"])


def _shown(row: Row) -> Shown:
    return Shown(
        row["sample"] + 1,
        row["outcome"],
        row["tokens"],
        row["finish_reason"] == FinishReason.LENGTH,
        "" if row["answer"] is None else one_line(row["answer"], 200),
        one_line(row["detail"] or "", 300),
        _cut(row["response"]),
        [
            (g, row[f"{g}: outcome"], one_line(row[f"{g}: detail"] or "", 200))
            for g in GRADERS
            if row[f"{g}: outcome"] is not None
        ],
    )


def _disputed(row: Row) -> bool:
    return any(row[f"{g}: outcome"] not in (None, row["outcome"]) for g in GRADERS)


def _cut(text: str) -> str:
    """Without its middle, where it is long."""
    half = LONGEST // 2
    if len(text) <= LONGEST:
        return text
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"
