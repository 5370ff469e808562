"""The ledger: what became of every prompt's rollouts, in every epoch.

One row for each group that was ever paid for. History Resampling reads it, and so can you:
`duckdb -c "select * from 'runs/demo/ledger.parquet'"`. It holds accuracy verdicts, never
rewards (format and language terms cannot reach it), and no wall-clock.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from srpo.files import replacing
from srpo.types import FinishReason, Group, Outcome, Problem


class Reason(NamedTuple):
    """Why a strategy does what it does with a prompt, and that it does so."""

    decision: Literal["open", "keep", "drop", "discard"]
    text: str


NOT_OVER = Reason("open", "epoch not over")
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
    "reason": "b",  # index into the reasons seen so far; each stands for its decision
}


class Ledger:
    """Columns that only grow: about 28 bytes a row."""

    def __init__(self, problems: Sequence[Problem], stages: Sequence[str]):
        self.ids = [p.id for p in problems]
        self.domains = [str(p.domain) for p in problems]
        self.stages = list(stages)
        self.index = {id_: i for i, id_ in enumerate(self.ids)}
        self.columns = {name: array(code) for name, code in COLUMNS.items()}
        self.reasons = [NOT_OVER]

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
                self.reasons.index(NOT_OVER),
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

    def decide(self, rows: slice, reasons: Sequence[tuple[Reason, np.ndarray]]) -> None:
        """Write the end-of-epoch decisions: for each of the rows the first reason whose (rows,)
        bool mask holds; where none does it stays open."""
        self.reasons += [r for r in dict.fromkeys(r for r, _ in reasons) if r not in self.reasons]
        codes = [self.reasons.index(reason) for reason, _ in reasons]
        found = np.select([mask for _, mask in reasons], codes, self.reasons.index(NOT_OVER))
        self.columns["reason"][rows] = array("b", found.astype(np.int8).tobytes())

    def pass_rates(self) -> np.ndarray:
        """(problems,) share correct of each one's latest group with a verdict; 0 before any."""
        rates, all_rows = np.zeros(len(self.ids)), slice(None)
        problem, correct, wrong = (self.view(c, all_rows) for c in ("problem", "correct", "wrong"))
        judged = correct + wrong > 0
        # Rows are in order of time, and of several values for one place numpy keeps the last.
        rates[problem[judged]] = correct[judged] / (correct + wrong)[judged]
        return rates

    def expected_tokens(self, problems: Sequence[Problem]) -> list[float]:
        """Of a response to each of the problems: the mean of its latest group; where it has none
        the mean of all groups of its domain, and 0 before any. Problems need not be the ledger's.
        """
        problem, lengths = (self.view(c, slice(None)) for c in ("problem", "mean_length"))
        latest = np.full(len(self.ids), np.nan)
        latest[problem] = lengths  # in order of time: the last one stays
        found = [latest[self.index[p.id]] if p.id in self.index else np.nan for p in problems]
        means = {}
        for name in {
            p.domain for p, tokens in zip(problems, found, strict=True) if tokens != tokens
        }:
            own = np.array([d == name for d in self.domains], dtype=bool)[problem]
            means[name] = float(lengths[own].mean()) if own.any() else 0.0
        return [
            means[p.domain] if np.isnan(tokens) else float(tokens)
            for p, tokens in zip(problems, found, strict=True)
        ]

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
            "decision": _named([r.decision for r in self.reasons], c["reason"]),
            "reason": _named([r.text for r in self.reasons], c["reason"]),
        }
        numbers = {n: pa.array(c[n]) for n in c if n not in ("problem", *named)}
        order = ("problem_id", "domain", "stage", *numbers, "decision", "reason")
        return pa.table({n: named.get(n, numbers.get(n)) for n in order})

    def write(self, path: Path) -> None:
        """Replace the Parquet file at `path` in one move."""
        with replacing(path) as unfinished:
            pq.write_table(self.table(), unfinished, compression="zstd")

    def state_dict(self) -> dict[str, np.ndarray]:
        """Its columns, (R,) each for R groups so far, and the texts of the reasons."""
        columns = {name: np.array(column) for name, column in self.columns.items()}
        return {**columns, "reasons": np.array(self.reasons)}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a `state_dict`."""
        for name, code in COLUMNS.items():
            self.columns[name] = array(code, state[name].tobytes())
        self.reasons = [Reason(*pair) for pair in state["reasons"].tolist()]


def _named(names: Sequence[str], codes: np.ndarray) -> pa.Array:
    """Codes to strings; one copy of each distinct name is all the memory that it takes."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) != len(names):
        place = {name: i for i, name in enumerate(distinct)}
        codes = np.array([place[n] for n in names], dtype=np.int32)[codes]
    indices = pa.array(codes.astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, pa.string()))
