"""How often copies are told from siblings, on pairs of real rows that were read by hand.

`labels/pairs.jsonl`: the sample "random" is of all pairs of three sets with a Jaccard index of 0.6
or more whose words are not identical, drawn by whether numbers and answers agree; "identical" of
those that are, as many to the duplicates of "random" as there are in the sets (42%); "aimed" of
texts that are equal but for blanks and signs, with answers that are spelt otherwise.

`labels/pairs_untuned.jsonl`: another reader's pairs, none identical, on which nothing was tuned.
"""

from __future__ import annotations

import pytest

from real_rows import Label, cleaned, labels, measured, needs_data
from srpo.data.curate.duplicates import Duplicates, Known, resolve
from srpo.data.curate.together import same_answer

PAIRS, UNTUNED = labels("pairs"), labels("pairs_untuned")
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


def measure(lines: list[Label], label: str) -> tuple[int, float, float]:
    return measured(
        label,
        lines,
        lambda line: line["label"] == label,
        lambda line: found(line["a"], line["b"]) == label,
    )


@pytest.mark.parametrize("label", ["duplicate", "conflict"])
def test_precision_and_recall(label: str) -> None:
    positives, precision, recall = measure(PAIRS, label)
    assert positives >= 20
    assert precision >= PRECISION
    assert recall >= RECALL


@pytest.mark.parametrize("label", ["duplicate", "conflict"])
def test_what_was_not_tuned_on(label: str) -> None:
    """Misreadings by machines in numbers and formulas are not taken for copies: half of these."""
    positives, precision, recall = measure(UNTUNED, label)
    assert positives >= 20
    assert precision >= PRECISION
    assert recall >= 0.5


@pytest.mark.parametrize("lines", [PAIRS, UNTUNED], ids=["tuned", "untuned"])
def test_no_sibling_is_merged(lines: list[Label]) -> None:
    siblings = [line for line in lines if line["label"] == "sibling"]
    assert len(siblings) >= 50
    merged = [line for line in siblings if found(line["a"], line["b"]) != "sibling"]
    assert not merged
