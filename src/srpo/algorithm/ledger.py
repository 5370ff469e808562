"""The ledger: what became of every prompt's rollouts, in every epoch.

One row for each group that was ever paid for. History Resampling reads it, and so can you:
`duckdb -c "select * from 'runs/demo/ledger.parquet'"`. It holds accuracy verdicts, never
rewards (format and language terms cannot reach it), and no wall-clock.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from srpo.types import FinishReason, Group, Outcome, Problem

DECISIONS = ("open", "keep", "drop", "discard")
REASONS = (
    "epoch not over",
    "all correct",
    "pass rate reached sampler.history.solved_at",
    "mixed",
    "all wrong: a better policy may crack it",
    "no verdict: every rollout errored",
    "strategy keeps every prompt",
    "uniform group, resampled by the dynamic strategy",
    "forecast: its next group will probably inform",
    "forecast: its next group will probably be uniform, so it rests",
)
OPEN, KEEP, DROP, DISCARD = range(len(DECISIONS))
(
    NOT_OVER,
    ALL_CORRECT,
    SOLVED,
    MIXED,
    ALL_WRONG,
    NO_VERDICT,
    KEEP_ALL,
    UNIFORM,
    PROMISING,
    RESTING,
) = range(len(REASONS))

COLUMNS = {
    "problem": "i",  # index into the problems that the ledger was opened with
    "stage": "b",  # index into the stage names
    "epoch": "i",
    "step": "i",
    "correct": "h",
    "wrong": "h",
    "errored": "h",
    "truncated": "h",
    "mean_length": "f",
    "decision": "b",
    "reason": "b",
}


class Ledger:
    """Columns that only grow: about 29 bytes a row."""

    def __init__(self, problems: Sequence[Problem], stages: Sequence[str]):
        self.ids = [p.id for p in problems]
        self.domains = [str(p.domain) for p in problems]
        self.stages = list(stages)
        self.index = {id_: i for i, id_ in enumerate(self.ids)}
        self.columns = {name: array(code) for name, code in COLUMNS.items()}

    def __len__(self) -> int:
        return len(self.columns["problem"])

    def record(self, stage: str, epoch: int, step: int, groups: Iterable[Group]) -> None:
        """Append one row a group; its decision stays open until the epoch ends."""
        at = self.stages.index(stage)
        for group in groups:
            n = len(group.rollouts)
            row = (
                self.index[group.problem.id],
                at,
                epoch,
                step,
                group.count(Outcome.CORRECT),
                group.count(Outcome.INCORRECT),
                group.count(Outcome.ERROR),
                sum(r.finish_reason is FinishReason.LENGTH for r in group.rollouts),
                group.tokens / n if n else 0.0,
                OPEN,
                NOT_OVER,
            )
            for column, value in zip(self.columns.values(), row, strict=True):
                column.append(value)

    def rows(self, stage: str, epoch: int) -> slice:
        """Where the rows of the latest epoch stand: they are contiguous at the end."""
        end = len(self)
        stages, epochs = self.columns["stage"], self.columns["epoch"]
        at, start = self.stages.index(stage), end
        while start and epochs[start - 1] == epoch and stages[start - 1] == at:
            start -= 1
        return slice(start, end)

    def view(self, name: str, rows: slice) -> np.ndarray:
        """A copy of one column's rows as a numpy array."""
        return np.array(self.columns[name][rows])

    def decide(self, rows: slice, decisions: np.ndarray, reasons: np.ndarray) -> None:
        """Write the end-of-epoch decisions; both (rows,) of codes."""
        self.columns["decision"][rows] = array("b", decisions.astype(np.int8).tobytes())
        self.columns["reason"][rows] = array("b", reasons.astype(np.int8).tobytes())

    def informative_by_epoch(self) -> list[float]:
        """The share of groups with both outcomes, for each epoch of each stage in turn."""
        mixed = (self.view("correct", slice(None)) > 0) & (self.view("wrong", slice(None)) > 0)
        return [float(mixed[rows].mean()) for rows in self.epochs()]

    def epochs(self) -> list[slice]:
        """The rows of each epoch of each stage in turn."""
        stage, epoch = self.view("stage", slice(None)), self.view("epoch", slice(None))
        changed = np.flatnonzero(np.diff(stage) | np.diff(epoch)) + 1
        edges = [0, *changed.tolist(), len(self)]
        return [slice(a, b) for a, b in pairwise(edges) if a < b]

    def table(self) -> pa.Table:
        """The ledger with names in place of codes."""
        c = {name: np.array(a) for name, a in self.columns.items()}
        named = {
            "problem_id": _named(self.ids, c["problem"]),
            "domain": _named(self.domains, c["problem"]),
            "stage": _named(self.stages, c["stage"]),
            "decision": _named(DECISIONS, c["decision"]),
            "reason": _named(REASONS, c["reason"]),
        }
        numbers = {n: pa.array(c[n]) for n in c if n not in ("problem", *named)}
        order = ("problem_id", "domain", "stage", *numbers, "decision", "reason")
        return pa.table({n: named.get(n, numbers.get(n)) for n in order})

    def write(self, path: Path) -> None:
        """Replace the Parquet file at `path` in one move."""
        temporary = path.with_suffix(".tmp")
        pq.write_table(self.table(), temporary, compression="zstd")
        os.replace(temporary, path)

    def state_dict(self) -> dict[str, np.ndarray]:
        return {name: np.array(column) for name, column in self.columns.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        for name, code in COLUMNS.items():
            self.columns[name] = array(code, state[name].tobytes())


def _named(names: Sequence[str], codes: np.ndarray) -> pa.Array:
    """Codes to strings; one copy of each distinct name is all the memory that it takes."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) != len(names):
        place = {name: i for i, name in enumerate(distinct)}
        codes = np.array([place[n] for n in names], dtype=np.int32)[codes]
    indices = pa.array(codes.astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, pa.string()))
