"""How often the rules for mathematics are right, on rows of public sets that were read by hand.

`labels/math.jsonl`: 262 rows were drawn from all sets ("random"), the others ("aimed") where words
that a rule may look at occur; every row has all labels that apply. docs/curation.md has the table.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from real_rows import Label, cleaned, labels, measured, needs_data
from srpo.data.curate import math_filters
from srpo.data.curate.rule import Rule

LABELS = labels("math")
PRECISION, RECALL = 0.95, 0.9
RULES = {rule.__name__: rule for rule in math_filters.RULES}
WHAT = {"figure_in_code": "figure_code", "question_lost": "breaks_off"}

pytestmark = needs_data


def is_figure(line: Label) -> bool:
    """Whether a row refers to a figure that is not there, needed or not."""
    found = set(line["labels"])
    return bool(found & {"figure_needed", "figure_mentioned"}) and "figure_code" not in found


def says(rule: Rule, line: Label) -> bool:
    return rule(cleaned(line["set"], line["row"])) is not None


def measure(name: str) -> tuple[int, float, float]:
    label = WHAT.get(name, name)
    truth = is_figure if name == "figure_missing" else lambda line: label in line["labels"]
    return measured(name, LABELS, truth, lambda line: says(RULES[name], line))


@pytest.mark.parametrize("name", ["figure_in_code", "figure_missing"])
def test_figures(name: str) -> None:
    positives, precision, recall = measure(name)
    assert positives >= 20
    assert precision >= PRECISION
    assert recall >= RECALL


# Too few rows of the sets are of these kinds to say how many are missed; what is dropped is right.
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("pure_proof", 0),
        ("multi_part", 0),
        ("question_lost", 1),
        ("choices_missing", 0),
        ("undecidable_answer", 0),
        ("answer_in_question", 0),
        ("unsaid_rewrite", 2),
    ],
)
def test_hardly_a_good_row_is_dropped(name: str, most: int) -> None:
    _, precision, _ = measure(name)
    dropped = sum(says(RULES[name], line) for line in LABELS)
    assert dropped * (1 - precision) <= most + 1e-9


def test_the_traps_that_were_read_before() -> None:
    """Rows that the folder's own labels call clean, or a trap, stay; the figure goes."""
    path = Path(os.environ["SRPO_DATA"], "curation_hand_labels.jsonl")
    for line in map(json.loads, path.read_text().splitlines()):
        if line["set"] not in ("dapo_math_17k", "math_train"):
            continue
        found = {name for name, rule in RULES.items() if says(rule, line)}
        words = {label.partition(":")[0] for label in line["labels"]}
        if "figure_needed" in words:
            assert found == {"figure_in_code"}, line
        elif any("AMBIGUOUS" in label for label in line["labels"]):
            assert found == {"unsaid_rewrite"}, line
        else:
            assert found == set(), line
