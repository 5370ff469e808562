"""How often the cleaners are right, on rows of public sets that were read by hand.

`labels/clean.jsonl`: the rows of the sample "random" have the names of all cleaners that must
change them, but for `whitespace`; the others were looked for, and say of one cleaner only, which
`sample` names, whether it must change the row or must not. Every second line (counted from 0: the
odd ones) was there to tune on.
"""

from __future__ import annotations

from functools import cache

import pytest

from real_rows import Label, labels, measured, needs_data, raw
from srpo.data.curate.clean import CLEANERS, clean

LABELS = labels("clean")
NAMES = [cleaner.__name__ for cleaner in CLEANERS]
ENOUGH, PRECISION, RECALL = 5, 0.95, 0.9

pytestmark = needs_data


@cache
def changed_by(name: str, row: int) -> frozenset[str]:
    candidate, names = raw(name)[row], set()
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
    def says(line: Label) -> bool:
        return name in changed_by(line["set"], line["row"])

    of_cleaner = [x for x in LABELS[half == "odd" :: 2] if x["sample"] in ("random", name)]
    positives, precision, recall = measured(
        f"{name} {half}", of_cleaner, lambda line: name in line["labels"], says
    )
    assert precision >= PRECISION
    assert positives < ENOUGH or recall >= RECALL


def test_every_eaten_fraction_is_restored() -> None:
    eaten = [row for row in raw("dapo_math_17k") if "\frac" in row.prompt]
    assert eaten
    for row in eaten:
        mended = clean(row)
        count = row.prompt.count("\frac")
        assert "\f" not in mended.prompt
        assert mended.prompt.count(r"\frac") == row.prompt.count(r"\frac") + count
        assert any(f"\\frac x{count}" in change for change in mended.changes)
    print(f"{len(eaten)} rows with an eaten fraction")
