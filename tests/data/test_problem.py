"""One parser of problems: what is wrong is said in the same words every time."""

from __future__ import annotations

import pytest

from srpo.data.problem import parse_problem
from srpo.types import UserError


def test_an_unknown_key_is_answered_with_the_known_ones_in_one_order():
    with pytest.raises(UserError) as error:
        parse_problem({"id": 1, "prompts": "?"}, "row 1")
    known = "id, domain, prompt, answer, tests, meta"
    assert str(error.value) == f"row 1: unknown key 'prompts'; known are {known}"
