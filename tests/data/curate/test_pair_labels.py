"""How often copies are told from siblings, on pairs of real rows that were read by hand.

`labels/pairs.jsonl`: the sample "random" is of all pairs of three sets with a Jaccard index of 0.6
or more whose words are not identical, drawn by whether numbers and answers agree; "identical" of
those that are, as many to the duplicates of "random" as there are in the sets (42%); "aimed" of
texts that are equal but for blanks and signs, with answers that are spelt otherwise.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from real_rows import cleaned, needs_data
from srpo.data.curate.duplicates import Duplicates, Known, resolve
from srpo.data.curate.together import same_answer

LABELS = [
    json.loads(line)
    for line in (Path(__file__).parent / "labels" / "pairs.jsonl").read_text().splitlines()
]
PRECISION, RECALL = 0.95, 0.9

pytestmark = needs_data


def found(a: tuple[str, int], b: tuple[str, int]) -> str:
    rows = [cleaned(*a), cleaned(*b)]
    duplicates = Duplicates()
    for row in rows:
        duplicates.add(row.prompt)
    groups, pairs = duplicates.suspicious()
    known = dict(enumerate(Known(r.id, r.domain, r.prompt, r.answer) for r in rows))
    reason = resolve(groups, pairs, known, same_answer)
    said = reason[1].reason if 1 in reason else ""
    if said.startswith("duplicate"):
        return "duplicate"
    return "conflict" if said else "sibling"


@pytest.mark.parametrize("label", ["duplicate", "conflict"])
def test_precision_and_recall(label: str) -> None:
    counts: Counter[tuple[bool, bool]] = Counter()
    missed_by = Counter[str]()
    for line in LABELS:
        said = found(line["a"], line["b"])
        counts[line["label"] == label, said == label] += 1
        if (said == label) != (line["label"] == label):
            print("differs:", line, said)
            missed_by[line["sample"]] += 1
    right, missed, wrong = counts[True, True], counts[True, False], counts[False, True]
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    print(f"{label:10} {right=} {missed=} {wrong=} {precision=:.3f} {recall=:.3f} {missed_by}")
    assert right + missed >= 20
    assert precision >= PRECISION
    assert recall >= RECALL


def test_no_sibling_is_merged() -> None:
    siblings = [line for line in LABELS if line["label"] == "sibling"]
    assert len(siblings) >= 50
    merged = [line for line in siblings if found(line["a"], line["b"]) != "sibling"]
    assert not merged
