"""From verdict and text to the weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.recipe.schema import CodeFormat, MathFormat, RewardConfig
from srpo.types import Domain, Outcome, Problem, Reward, Verdict
from srpo.verifiers.reward import reward


@dataclass
class Weights:
    accuracy: float = 1.0
    format: float = 0.25
    language: float = 0.5
    math_format: MathFormat = "boxed"
    code_format: CodeFormat = "fenced"


MATH = Problem("m", Domain.MATH, "What is one plus one?", answer="2")
CODE = Problem("c", Domain.CODE, "Write f.", tests={})
RIGHT, WRONG = Verdict(Outcome.CORRECT), Verdict(Outcome.INCORRECT)
CHINESE = "首先我们把这些数字加起来然后看看剩下什么"


def test_reward_is_the_weighted_sum() -> None:
    assert reward(MATH, "It is \\boxed{2}", RIGHT, Weights()) == Reward(1, 1, 0, 1.25)
    assert reward(MATH, "It is 2", WRONG, Weights()) == Reward(0, 0, 0, 0)
    text = f"Now let us see what is left: {CHINESE} \\boxed{{2}}"
    assert reward(MATH, text, RIGHT, Weights()) == Reward(1, 1, 1, 0.75)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))
def test_a_recipes_section_is_the_weights(accuracy: float, form: float, language: float) -> None:
    weights = RewardConfig(accuracy=accuracy, format=form, language=language)
    assert reward(MATH, "It is \\boxed{2}", RIGHT, weights).total == accuracy + form
    text = f"Now let us see what is left: {CHINESE}"
    assert reward(MATH, text, WRONG, weights).total == -language


def test_without_weights_the_recipes_defaults_hold() -> None:
    text = "It is \\boxed{2}"
    assert reward(MATH, text, RIGHT) == reward(MATH, text, RIGHT, RewardConfig())
    assert reward(MATH, text, RIGHT).total == pytest.approx(1.1)


def test_the_recipe_chooses_the_formats() -> None:
    tagged = "<think>so</think><answer>2</answer>"
    weights = RewardConfig(math_format="tags", code_format="tags")
    assert reward(MATH, tagged, RIGHT).format == 0
    assert reward(MATH, tagged, RIGHT, weights).format == 1
    assert reward(CODE, tagged, RIGHT, weights).format == 1
    assert reward(MATH, '{"answer": 2}', RIGHT, RewardConfig(math_format="json")).format == 1


def test_an_error_has_no_reward() -> None:
    with pytest.raises(ValueError, match="ERROR"):
        reward(MATH, "\\boxed{2}", Verdict(Outcome.ERROR), Weights())
