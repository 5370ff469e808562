"""A candidate with what became of it, and how it is kept in a file."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa

from srpo.data.candidate import Candidate

NOT_VERIFIED = "not verified"  # begins the note of a row that a failure of ours left unverified


@dataclass(frozen=True, slots=True)
class Judged:
    """`reason` is empty as long as the row stays; `evidence` is what of the row, or which other
    row, shows that the reason is right. `notes` are no reason to drop it."""

    candidate: Candidate
    stage: str = ""
    reason: str = ""
    evidence: str = ""
    language: str = ""
    notes: tuple[str, ...] = ()
    difficulty: str = ""
    samples: int = 0  # of the rating; 0: not rated here
    correct: int = 0

    @property
    def stays(self) -> bool:
        return not self.reason

    def dropped(
        self, stage: str, reason: str, evidence: str, allow: Collection[str] = ()
    ) -> Judged:
        """With the reason to drop it, of which the first one counts; with a note where `allow` has
        that reason."""
        if self.reason:
            return self
        if reason in allow:
            return self.noted(f"{reason}: {evidence}")
        return replace(self, stage=stage, reason=reason, evidence=evidence)

    def noted(self, note: str) -> Judged:
        return replace(self, notes=(*self.notes, note))


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("domain", pa.string()),
        ("prompt", pa.string()),
        ("answer", pa.list_(pa.string())),
        ("tests", pa.string()),
        ("reference", pa.string()),
        ("solution", pa.string()),
        ("system", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
        ("language", pa.string()),
        ("difficulty", pa.string()),
        ("pass_rate", pa.float64()),
        ("samples", pa.int32()),
        ("correct", pa.int32()),
        ("meta", pa.string()),
        ("changes", pa.list_(pa.string())),
        ("notes", pa.list_(pa.string())),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("evidence", pa.string()),
    ]
)
TRAIN_SCHEMA = pa.schema([f for f in SCHEMA if f.name not in ("stage", "reason", "evidence")])


def to_row(judged: Judged) -> dict[str, Any]:
    """As SCHEMA has it. `answer` is null for code, `tests` (JSON) for mathematics."""
    c = judged.candidate
    return {
        "id": c.id,
        "domain": c.domain,
        "prompt": c.prompt,
        "answer": list(c.answer) or None,
        "tests": None if c.tests is None else json.dumps(c.tests, ensure_ascii=False),
        "reference": c.reference,
        "solution": c.solution,
        "system": c.system,
        "source": c.source,
        "row": c.row,
        "language": judged.language or None,
        "difficulty": judged.difficulty or None,
        "pass_rate": c.pass_rate,
        "samples": judged.samples or None,
        "correct": judged.correct if judged.samples else None,
        "meta": json.dumps(c.meta, ensure_ascii=False, default=str) if c.meta else None,
        "changes": list(c.changes),
        "notes": list(judged.notes),
        "stage": judged.stage,
        "reason": judged.reason,
        "evidence": judged.evidence,
    }


def from_row(row: dict[str, Any]) -> Judged:
    """What `to_row` was given."""
    own = {f.name for f in fields(Candidate)}
    given = {name: value for name, value in row.items() if name in own}
    given |= {"answer": tuple(row["answer"] or ()), "changes": tuple(row["changes"])}
    given["tests"] = None if row["tests"] is None else json.loads(row["tests"])
    given["meta"] = json.loads(row["meta"]) if row["meta"] else {}
    return Judged(
        Candidate(**given),
        row["stage"],
        row["reason"],
        row["evidence"],
        row["language"] or "",
        tuple(row["notes"]),
        row["difficulty"] or "",
        row["samples"] or 0,
        row["correct"] or 0,
    )
