"""Answer extraction. The policy's own table is in test_math_policy.py."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.verifiers.math.extract import boxed_spans, extract_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so \\boxed{42}.", "42"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("\\boxed{\\left\\{ x \\right.}", "\\left\\{ x \\right."),
        ("\\boxed{3} and then \\boxed{4", None),
        ("\\boxed{ }", None),
        ("\\boxed 7", "7"),
        ("\\fbox {7}", "7"),
        ("$y_1 = \\boxed{a}$ and $y_2 = \\boxed{b}$", "a, b"),
        ("\\boxed{1}\\boxed{2}, \\boxed{3}", "1, 2, 3"),
        ("\\boxed{1}\n\n\\boxed{2}", "2"),
        ("<answer> 5 </answer>", "5"),
        ("<answer>5</answer> \\boxed{6}", "6"),
        ("<answer>1</answer><answer>2</answer>", "2"),
        ("</answer>5<answer>", None),
        ("<answer>5", None),
        ('```json\n{"answer": [1, 2]}\n```', "1, 2"),
        ('{"answer": 4.5}', "4.5"),
        ('{"answer": "\\\\frac{1}{2}"}', "\\frac{1}{2}"),
        ('{"answer": "5', None),
        ('{"answer": null}', None),
        ("the answer is 5", "5"),
        ("The final answer is: $\\frac{1}{2}$. I hope it is correct.", "$\\frac{1}{2}$"),
        ("is this the answer? no", None),
        ("#### 1,234\n", "1,234"),
        ("", None),
        ("\\boxed{" + "{" * 50_000 + "}" * 50_001, "{" * 50_000 + "}" * 50_000),
    ],
)
def test_extract(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$k=1$", "$k=1$"),
        ("so $x+y=7$, and he has 3 left.", "3"),
        ("so he finds $x = 2$", "x = 2"),
        ("it is 1,234.50 euro", "1,234.50"),
        ("no number", None),
    ],
)
def test_prose_only_when_asked(text: str, answer: str | None) -> None:
    assert extract_answer(text) is None
    assert extract_answer(text, prose=True) == answer


@given(st.text(alphabet='\\boxed{}<answer>/ 1#"', max_size=200), st.booleans())
def test_any_text(text: str, prose: bool) -> None:
    answer = extract_answer(text, prose)
    assert answer is None or answer.strip()
    assert answer is None or not boxed_spans(text)[1]


@given(st.lists(st.integers(0, 99), min_size=2, max_size=9))
def test_spraying_boxes_never_narrows_to_one(numbers: list[int]) -> None:
    sprayed = extract_answer(", ".join(f"\\boxed{{{n}}}" for n in numbers))
    assert sprayed == ", ".join(map(str, numbers))


REPEATED = ["\\boxed{", "\\boxed{1} and ", "}", "$", "\\(", "the answer is ", "<answer>", "#### ",
            '"answer": ', '{"answer": "\\', "\\", "1,", "a ", " ", "final answer",
            "\\boxed 1", "\\boxed 1 or ", "\\boxed{\\boxed{1}", "#### Check\n", "### Answer\n",
            "<think>", "<answer>The sum is ", "#", "\n"]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_a_million_characters(piece: str) -> None:
    before, after = (random.choice(["", *REPEATED]) for _ in range(2))
    text = before + piece * (10**6 // len(piece)) + after
    start = time.perf_counter()
    extract_answer(text, prose=True)
    assert time.perf_counter() - start < 5, (before, after)
