"""Ratings by the shipped model."""

from __future__ import annotations

from typing import Any

from srpo.data.candidate import Candidate
from srpo.nano.problems import nano_problems
from srpo.recipe.curation import RatingConfig
from srpo.run.rating import rate

CONFIG = RatingConfig(
    recipe="nano", samples=2, set=["rollout.max_new_tokens=24", "data.max_prompt_tokens=64"]
)


def rated(problems: list[Candidate]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rate(CONFIG, 5, problems, found.__setitem__, lambda *_: None)
    return found


def test_a_rating_does_not_depend_on_what_else_is_rated():
    problems = [
        Candidate("s", i, "math", p.prompt, (str(p.answer),))
        for i, p in enumerate(nano_problems("math", "train", 6, 1))
    ]
    long = Candidate("s", 9, "math", "1+" * 200 + "1=", ("201",))
    together = rated([*problems, long])
    assert "max_prompt_tokens 64" in together.pop("s:9")
    assert all(n == 2 and 0 <= correct <= n for n, correct in together.values())
    assert rated(problems[:2]) | rated(problems[2:]) == together
