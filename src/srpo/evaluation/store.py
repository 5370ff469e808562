"""Responses with their verdicts, in a folder: written in parts, each there whole or not at all.

OUT/responses/NAME-00000.parquet   SCHEMA, n rows a problem, in the problems' order
OUT/plan.json                      all that they depend on
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.evaluation.numbers import Answer
from srpo.files import replacing
from srpo.types import Group, Outcome, UserError

GRADERS = ("lcb-compatible", "math-verify")  # that may stand beside ours, each with two columns

SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("id", pa.string()),
        ("sample", pa.int32()),
        ("domain", pa.string()),
        ("response", pa.string()),
        ("tokens", pa.int32()),
        ("finish_reason", pa.string()),
        ("outcome", pa.string()),
        ("answer", pa.string()),
        ("detail", pa.string()),
        *((f"{g}: {what}", pa.string()) for g in GRADERS for what in ("outcome", "detail")),
    ]
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Responses:
    """The responses of an evaluation in OUT, part by part."""

    out: Path

    def part(self, name: str, number: int) -> Path:
        """The file of one part of a problem set."""
        plain = re.sub(r"[^\w.-]+", "_", name)[-60:]
        if plain != name:  # another name may look the same so
            plain += "-" + hashlib.sha256(name.encode()).hexdigest()[:6]
        return self.out / "responses" / f"{plain}-{number:05d}.parquet"

    def write(self, name: str, number: int, rows: Iterable[Row]) -> None:
        """One part, in one move."""
        path = self.part(name, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), unfinished)

    def begun(self) -> bool:
        """Whether any part is done."""
        return any(self.out.glob("responses/*.parquet"))

    def complete(self, counts: dict[str, int]) -> bool:
        """Whether all parts are done, given how many each problem set has."""
        return all(self.part(name, n).is_file() for name, c in counts.items() for n in range(c))

    def parts(self, name: str, count: int) -> Iterator[list[Row]]:
        """The rows of the parts that there shall be, one part after the other. Raises UserError
        for one that is missing or damaged."""
        for number in range(count):
            yield read_part(self.part(name, number))

    def problems(self, name: str, count: int) -> Iterator[list[Row]]:
        """The rows of each problem, in order."""
        for rows in self.parts(name, count):
            for _, of_problem in groupby(rows, lambda row: row["id"]):
                yield list(of_problem)


def read_part(path: Path) -> list[Row]:
    """The rows of one file. Raises UserError."""
    try:
        return pq.read_table(path, schema=SCHEMA).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); delete it, and the same command makes it anew"
        ) from error


def rows_of(name: str, group: Group) -> Iterator[Row]:
    """A group as rows; what graders beside ours say is not in them yet."""
    for number, rollout in enumerate(group.rollouts):
        verdict = rollout.verdict
        assert verdict is not None, "judged before it is kept"
        yield {
            "benchmark": name,
            "id": group.problem.id,
            "sample": number,
            "domain": group.problem.domain,
            "response": rollout.text.encode("utf-8", "backslashreplace").decode(),
            "tokens": len(rollout.token_ids),
            "finish_reason": str(rollout.finish_reason),
            "outcome": str(verdict.outcome),
            "answer": _utf8(verdict.answer),
            "detail": _utf8(verdict.detail),
        }


def answer_of(row: Row, grader: str | None = None) -> Answer:
    """What the numbers need of a row, by our grader or one beside it."""
    outcome = row["outcome"] if grader is None else row[f"{grader}: outcome"]
    return Answer(Outcome(outcome), row["answer"], row["tokens"], row["finish_reason"] == "length")


def _utf8(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()
