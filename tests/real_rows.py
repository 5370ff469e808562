"""Rows of the public data sets, as curation reads them; they are in the folder SRPO_DATA."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.data.curate.clean import clean
from srpo.data.rows import read_rows

Label = dict[str, Any]

needs_data = pytest.mark.skipif(
    "SRPO_DATA" not in os.environ, reason="SRPO_DATA, the folder of the data sets, is not set"
)


@cache
def raw(name: str) -> list[Candidate]:
    """Every row of a set, in order."""
    [path] = Path(os.environ["SRPO_DATA"]).glob(f"{name}.json*")
    rows = list(read_rows(path))
    found = [(number, row) for number, row in rows if isinstance(row, dict)]
    assert len(found) == len(rows)
    layout = find_layout(found[0][1], name)
    return [read_row(layout, row, name, number) for number, row in found]


@cache
def cleaned(name: str, row: int) -> Candidate:
    """One row, cleaned."""
    return clean(raw(name)[row])


def labels(name: str) -> list[Label]:
    """What was read by hand: row ids and labels."""
    path = Path(__file__).parent / "data" / "curate" / "labels" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def measured(
    name: str, lines: Iterable[Label], truth: Callable[[Label], bool], said: Callable[[Label], bool]
) -> tuple[int, float, float]:
    """Positive labels, precision and recall of a rule; prints them, and where it differs."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for line in lines:
        pair = truth(line), said(line)
        counts[pair] += 1
        if pair[0] != pair[1]:
            print("differs:", line)
    right, missed, wrong = counts[True, True], counts[True, False], counts[False, True]
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = right / (right + missed) if right + missed else 1.0
    print(f"{name:22} {right=} {missed=} {wrong=} {precision=:.3f} {recall=:.3f}")
    return right + missed, precision, recall
