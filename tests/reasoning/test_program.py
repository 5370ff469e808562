"""A program verifies where it stands behind an answer that was reached without it."""

from __future__ import annotations

import pytest

from srpo.reasoning.program import find_check

PROGRAM = "```python\nprint(sum(range(1, 11)))\n```\n"
STATED = "Adding the numbers gives 55, so the answer is 55.\n"
BOXED = "Adding the numbers gives \\boxed{55}.\n"


@pytest.mark.parametrize("answer", [STATED, BOXED, "The sum equals $55$.\n", "5 + 50 = 55\n"])
@pytest.mark.parametrize(
    ("output", "agrees"),
    [
        ("Output: 55\n", True),
        ("```output\n55\n```\n", True),
        ("The output is:\n```\n55\n```\n", True),
        ("Output:\n```\n56\n```\n", False),
        ("55\n", True),
        ("The output is:\n```\ncorrect\n```\n", True),
        ("Output: False\n", False),
        ("Running this prints 55.0, as expected.\n", True),
        ("This confirms the answer.\n", None),
        ("", None),
    ],
)
def test_behind_an_answer(answer: str, output: str, agrees: bool | None) -> None:
    found = find_check(f"{answer}Let me check with code:\n{PROGRAM}{output}")
    assert found is not None
    assert found.agrees is agrees


@pytest.mark.parametrize(
    "text",
    [
        PROGRAM + "Output: 55\nThe answer is 55.\n",  # solved by the program
        "We can do this with a loop.\n" + PROGRAM,  # code alone
        STATED,  # no program
        STATED + "```\nNote: this is no program.\n```\n",
        STATED + '```json\n{"answer": 55}\n```\n',
        STATED + "```latex\nx = 55\n```\n",
        STATED + "To verify:\n```python\n5 + 50 = 55\nx = 5 + 50 = 55\n```\n",
        STATED + "```python\nplt.plot(range(11))\nplt.show()\n```\n",
        "The first value is 1. Let a program do it.\n" + PROGRAM,
        "",
    ],
)
def test_what_verifies_nothing(text: str) -> None:
    assert find_check(text) is None


def test_fractions_and_thousands() -> None:
    program = "```py\nprint(3/4)\n```\n"
    text = "The probability is \\boxed{\\frac{3}{4}}.\n" + program + "Output: 0.75\n"
    assert find_check(text).agrees is True  # pyright: ignore[reportOptionalMemberAccess]
    text = "The total is 1,234. Let me check.\n" + program + "Output: 1234\n"
    assert find_check(text).agrees is True  # pyright: ignore[reportOptionalMemberAccess]


def test_where_it_stands() -> None:
    text = f"{STATED}{PROGRAM}"
    found = find_check(text)
    assert found is not None
    assert text[found.start : found.end] == PROGRAM.rstrip("\n")
