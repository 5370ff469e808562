"""Format, language mixing, and the weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from srpo.types import Domain, Outcome, Problem, Reward, Verdict
from srpo.verifiers.format import format_ok
from srpo.verifiers.language import foreign_share, mixed
from srpo.verifiers.reward import reward


@dataclass
class Weights:
    accuracy: float = 1.0
    format: float = 0.25
    language: float = 0.5


MATH = Problem("m", Domain.MATH, "What is one plus one?", answer="2")
CODE = Problem("c", Domain.CODE, "Write f.", tests={})


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("So \\boxed{2}", True),
        ("So \\[ \\boxed{2}. \\]\n", True),
        ("So $\\boxed{\\frac{1}{2}}$.", True),
        ("\\boxed{2} is the answer", False),
        ("\\boxed{2} \\boxed{2}", False),
        ("\\boxed{}", False),
        ("\\boxed{2", False),
        ("2", False),
    ],
)
def test_math_format(text: str, ok: bool) -> None:
    assert format_ok(MATH, text) is ok


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("So:\n```python\nx = 1\n```\n", True),
        ("```python\nx = 1\n```\nThat is it.", False),
        ("```python\nx\n```\n```python\ny\n```", False),
        ("```\nx\n```", False),
        ("```python\n```", False),
        ("```python\nx = 1\n", False),
        ("x = 1", False),
    ],
)
def test_code_format(text: str, ok: bool) -> None:
    assert format_ok(CODE, text) is ok


ENGLISH = "Let us add the numbers first and then look at what is left of the sum. "
CHINESE = "首先我们把这些数字加起来然后看看剩下什么"
RUSSIAN = "Сначала сложим все числа, потом посмотрим, что осталось. "


@pytest.mark.parametrize(
    ("prompt", "text", "is_mixed"),
    [
        ("What is it?", ENGLISH, False),
        ("What is it?", ENGLISH + CHINESE, True),
        ("What is it?", ENGLISH + RUSSIAN, True),
        ("What is it?", ENGLISH + "```python\n# " + CHINESE + "\n```", False),
        ("What is it?", ENGLISH + "$\\text{" + CHINESE + "}$", False),
        ("What does 你好 mean?", ENGLISH + "你好 means hello.", False),
        (
            "What is it?",
            ENGLISH + "\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER BETA} = π, Δx → ∞",
            False,
        ),
        ("What is it?", ENGLISH * 20 + "好", False),
        ("这是什么?", CHINESE, False),
        ("这是什么?", CHINESE + "x = 3, y = 4, \\sin x", False),
        ("这是什么?", CHINESE + ENGLISH, True),
        ("Что это?", RUSSIAN, False),
        ("Что это?", RUSSIAN + CHINESE, True),
        ("12+5=?", "12+5=17", False),
        ("12+5=?", ENGLISH, False),
        ("12+5=?", ENGLISH + CHINESE, True),
        ("これは何ですか", "これは数字です。合計は三です。", False),
        ("¿Qué es?", "Sumamos los números y después vemos cuánto queda.", False),
    ],
)
def test_mixed(prompt: str, text: str, is_mixed: bool) -> None:
    assert mixed(prompt, text) is is_mixed, foreign_share(prompt, text)


def test_reward_is_the_weighted_sum() -> None:
    right, wrong = Verdict(Outcome.CORRECT), Verdict(Outcome.INCORRECT)
    assert reward(MATH, "It is \\boxed{2}", right, Weights()) == Reward(1, 1, 0, 1.25)
    assert reward(MATH, "It is 2", wrong, Weights()) == Reward(0, 0, 0, 0)
    text = f"{CHINESE} \\boxed{{2}}"
    assert reward(MATH, text, right, Weights()) == Reward(1, 1, 1, 0.75)


def test_an_error_has_no_reward() -> None:
    with pytest.raises(ValueError, match="ERROR"):
        reward(MATH, "\\boxed{2}", Verdict(Outcome.ERROR), Weights())
