"""How often the cleaners are right, on rows of public sets that were read by hand.

`labels/clean.jsonl`: the rows of the sample "random" have the names of all cleaners that must
change them, but for `whitespace`; the others were looked for, and say of one cleaner only, which
`sample` names, whether it must change the row or must not. Every second line (counted from 0: the
odd ones) was there to tune on.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.data.curate.clean import CLEANERS, clean
from srpo.data.rows import read_rows

LABELS = [
    json.loads(line)
    for line in (Path(__file__).parent / "labels" / "clean.jsonl").read_text().splitlines()
]
NAMES = [cleaner.__name__ for cleaner in CLEANERS]
ENOUGH, PRECISION, RECALL = 5, 0.95, 0.9

pytestmark = pytest.mark.skipif(
    "SRPO_DATA" not in os.environ, reason="SRPO_DATA, the folder of the data sets, is not set"
)


@cache
def rows(name: str) -> dict[int, Candidate]:
    """The labelled rows of a set, without their tests, which cleaning does not see."""
    [path] = Path(os.environ["SRPO_DATA"]).glob(f"{name}.json*")
    wanted = {label["row"] for label in LABELS if label["set"] == name}
    layout, found = None, {}
    for number, row in read_rows(path):
        assert isinstance(row, dict)
        layout = layout or find_layout(row, name)
        if number in wanted:
            found[number] = replace(read_row(layout, row, name, number), tests=None)
    return found


@cache
def changed_by(name: str, row: int) -> frozenset[str]:
    candidate, names = rows(name)[row], set()
    for cleaner in CLEANERS:
        mended = cleaner(candidate)
        if mended != candidate:
            names.add(cleaner.__name__)
        candidate = mended
    return frozenset(names)


def test_labels_name_cleaners() -> None:
    assert {name for label in LABELS for name in label["labels"]} <= set(NAMES)
    assert {label["sample"] for label in LABELS} <= {"random", *NAMES}


@pytest.mark.parametrize("half", ["even", "odd"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "whitespace"])
def test_precision_and_recall(name: str, half: str) -> None:
    counts: Counter[tuple[bool, bool]] = Counter()
    for label in LABELS[half == "odd" :: 2]:
        if label["sample"] in ("random", name):
            found = name in changed_by(label["set"], label["row"])
            counts[name in label["labels"], found] += 1
            if found != (name in label["labels"]):
                print("differs:", label)
    right, missed, wrong = counts[True, True], counts[True, False], counts[False, True]
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    print(f"{name:20} {half:4} {right=} {missed=} {wrong=} {precision=:.3f} {recall=:.3f}")
    if right + missed >= ENOUGH:
        assert precision >= PRECISION
        assert recall >= RECALL
    else:
        assert wrong == 0


def test_every_eaten_fraction_is_restored() -> None:
    [path] = Path(os.environ["SRPO_DATA"]).glob("dapo_math_17k.json*")
    layout, eaten = None, 0
    for number, row in read_rows(path):
        assert isinstance(row, dict)
        layout = layout or find_layout(row, "dapo")
        if "\\frac" in json.dumps(row) and "\\f" in json.dumps(row):
            candidate = read_row(layout, row, "dapo", number)
            if (count := candidate.prompt.count("\frac")) > 0:
                eaten += 1
                mended = clean(candidate)
                assert "\f" not in mended.prompt
                assert mended.prompt.count(r"\frac") == candidate.prompt.count(r"\frac") + count
                assert any(f"\\frac x{count}" in change for change in mended.changes)
    assert eaten > 0
    print(f"{eaten} rows with an eaten fraction")
