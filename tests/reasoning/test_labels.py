"""The rules against labels made by reading (benchmarks/reasoning_rules.py says more of them)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from srpo.reasoning.behaviours import BEHAVIOURS, find_marks, is_reflective
from srpo.reasoning.program import find_check

LABELS = Path(__file__).parent / "labels"
DATA = os.environ.get("SRPO_DATA")
needs_texts = pytest.mark.skipif(DATA is None, reason="SRPO_DATA is not set: no texts")
REASONING = ("deepseek-r1-distill-qwen-1.5b", "deepseek-r1-distill-qwen-32b")
INSTRUCT = ("qwen2.5-1.5b-instruct", "qwen2.5-32b-instruct")
COT = "qwen2.5_math_cot"


def responses(name: str) -> list[Any]:
    """The responses of a set of traces; of Qwen2.5-Math's, a list for each problem."""
    if name == COT:
        lines = Path(str(DATA), f"traces_{COT}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["code"] for line in lines]
    path = Path(str(DATA), f"traces_reasoning_{name}.json")
    return [row["response"] for row in json.loads(path.read_text(encoding="utf-8"))]


@needs_texts
@pytest.mark.parametrize(
    ("behaviour", "precision", "recall"),
    [("recheck", 0.93, 0.82), ("hesitation", 0.95, 0.93), ("exploration", 0.9, 0.84)],
)
def test_sentences(behaviour: str, precision: float, recall: float) -> None:
    """858 sentences that were read. The second half was unseen when the rules were first held
    against it: docs/analysis.md has what came of that."""
    texts = {name: responses(name) for name in (*REASONING, *INSTRUCT, COT)}
    lines = (LABELS / "sentences_own_words.jsonl").read_text(encoding="utf-8").splitlines()
    found, labelled = [], 0
    for row in map(json.loads, lines):
        at = row["id"]
        text = texts[COT][at[0]][at[1]] if row["set"] == COT else texts[row["set"]][at]
        sentence = text[row["start"] : row["end"]].replace("\u2019", "'")
        labelled += behaviour in row["labels"]
        if BEHAVIOURS[behaviour].which(sentence):
            found.append(behaviour in row["labels"])
    assert sum(found) / len(found) >= precision
    assert sum(found) / labelled >= recall


@needs_texts
def test_few_instruct_answers_are_reflective() -> None:
    answers = [text for name in INSTRUCT for text in responses(name)]
    chains = [text for texts in responses(COT) for text in texts]
    for texts in (answers, chains):
        assert sum(is_reflective(find_marks(text)) for text in texts) <= 0.03 * len(texts)


def test_programs_that_verify() -> None:
    lines = (LABELS / "programs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [
        row for row in map(json.loads, lines) if "text" in row
    ]  # the others' texts are not here
    assert len(rows) >= 100
    found = [row["verifies"] for row in rows if find_check(row["text"])]
    assert sum(found) / len(found) >= 0.9
    assert sum(found) / sum(row["verifies"] for row in rows) >= 0.75
