"""docs/math-policy.md, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from srpo.types import Outcome, Problem
from srpo.verifiers.math.extract import extract_answer
from srpo.verifiers.math.verifier import MathVerifier

PAGE = Path(__file__).parents[3] / "docs" / "math-policy.md"


def table(first_heading: str) -> list[list[str]]:
    """The cells of the tables whose first column has this heading."""
    rows: list[list[str]] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        inside = line.startswith("|") and (inside or line.startswith(f"| {first_heading} |"))
        if not inside or line.startswith((f"| {first_heading} |", "| --- |")):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        rows.append([cell.strip("`").replace("\\|", "|") for cell in cells])
    return rows


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    verifier = MathVerifier(workers=2)
    yield verifier
    verifier.close()


@pytest.mark.parametrize(("response", "answer"), table("response"))
def test_which_part_is_the_answer(response: str, answer: str) -> None:
    assert extract_answer(response) == (None if answer == "none" else answer)


@pytest.mark.parametrize(("gold", "answer", "equal", "rule"), table("gold"))
def test_which_answers_are_equal(
    verifier: MathVerifier, gold: str, answer: str, equal: str, rule: str
) -> None:
    assert equal in ("yes", "no")
    problem = Problem("p", "math", "", answer=gold)
    verdict = verifier(problem, f"Hence \\boxed{{{answer}}}.")
    assert verdict.outcome is (Outcome.CORRECT if equal == "yes" else Outcome.INCORRECT), rule


@pytest.mark.parametrize(("prompt", "gold", "answer", "equal"), table("prompt"))
def test_the_question_is_no_answer(
    verifier: MathVerifier, prompt: str, gold: str, answer: str, equal: str
) -> None:
    assert equal in ("yes", "no")
    verdict = verifier(Problem("p", "math", prompt, answer=gold), f"\\boxed{{{answer}}}")
    assert verdict.outcome is (Outcome.CORRECT if equal == "yes" else Outcome.INCORRECT)
    assert (verdict.detail == "repeats the question") is (equal == "no")


@pytest.mark.parametrize(("question", "gold", "answer", "equal"), table("question"))
def test_what_was_asked_for(
    verifier: MathVerifier, question: str, gold: str, answer: str, equal: str
) -> None:
    assert equal in ("yes", "no")
    verdict = verifier(Problem("p", "math", question, answer=gold), f"\\boxed{{{answer}}}")
    assert verdict.outcome is (Outcome.CORRECT if equal == "yes" else Outcome.INCORRECT)


def test_every_gold_answer_equals_itself(verifier: MathVerifier) -> None:
    for gold, answer, *_ in table("gold"):
        for text in (gold, answer):
            if "\\frac{0}{0}" in text:
                continue
            verdict = verifier(Problem("p", "math", "", answer=text), f"\\boxed{{{text}}}")
            assert verdict.outcome is Outcome.CORRECT, text
