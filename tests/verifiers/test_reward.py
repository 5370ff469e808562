"""From verdict and text to the weighted sum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.domains import SHIPPED, find_domains
from srpo.recipe.schema import RewardConfig
from srpo.types import Outcome, Problem, Reward, Verdict
from srpo.verifiers.reward import RewardRule

MATH = Problem("m", "math", "What is one plus one?", answer="2")
CODE = Problem("c", "code", "Write f.", tests={})
RIGHT, WRONG = Verdict(Outcome.CORRECT), Verdict(Outcome.INCORRECT)
CHINESE = "首先我们把这些数字加起来然后看看剩下什么"
WEIGHTS = RewardConfig(accuracy=1.0, format=0.25, language=0.5)


def reward(problem: Problem, text: str, verdict: Verdict, config: RewardConfig = WEIGHTS) -> Reward:
    return RewardRule(config, find_domains(SHIPPED))(problem, text, verdict)


def test_reward_is_the_weighted_sum() -> None:
    assert reward(MATH, "It is \\boxed{2}", RIGHT) == Reward(1, 1, 0, 1.25)
    assert reward(MATH, "It is 2", WRONG) == Reward(0, 0, 0, 0)
    text = f"Now let us see what is left: {CHINESE} \\boxed{{2}}"
    assert reward(MATH, text, RIGHT) == Reward(1, 1, 1, 0.75)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))
def test_a_recipes_section_is_the_weights(accuracy: float, form: float, language: float) -> None:
    weights = RewardConfig(accuracy=accuracy, format=form, language=language)
    assert reward(MATH, "It is \\boxed{2}", RIGHT, weights).total == accuracy + form
    text = f"Now let us see what is left: {CHINESE}"
    assert reward(MATH, text, WRONG, weights).total == -language


def test_the_recipes_defaults() -> None:
    assert reward(MATH, "It is \\boxed{2}", RIGHT, RewardConfig()).total == pytest.approx(1.1)


def test_the_recipe_chooses_the_formats() -> None:
    tagged = "<think>so</think><answer>2</answer>"
    weights = RewardConfig(math_format="tags", code_format="tags")
    assert reward(MATH, tagged, RIGHT).format == 0
    assert reward(MATH, tagged, RIGHT, weights).format == 1
    assert reward(CODE, tagged, RIGHT, weights).format == 1
    assert reward(MATH, '{"answer": 2}', RIGHT, RewardConfig(math_format="json")).format == 1


def test_an_error_has_no_reward() -> None:
    with pytest.raises(ValueError, match="ERROR"):
        reward(MATH, "\\boxed{2}", Verdict(Outcome.ERROR))
