"""References and trivial programs, in the real sandbox."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from srpo.data.candidate import Candidate
from srpo.data.curate.programs import trivial_programs, try_programs
from srpo.domains import find_domains
from srpo.recipe.schema import VerifierConfig
from srpo.verifiers.pool import VerifierPool

A, B = random.sample(range(10, 100), 2)
FUNCTION = {
    "type": "function",
    "entry_point": "f",
    "cases": [{"args": [A], "expected": 2 * A}, {"args": [B], "expected": 2 * B}],
}
DOUBLE = "def f(x):\n    return 2 * x"
STDIN = {
    "type": "stdin",
    "cases": [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (A, B)],
}
ASSERTS = {"type": "asserts", "asserts": [f"assert f({n}) == {2 * n}" for n in (A, B)]}
METHOD = {**FUNCTION, "entry_point": "Solution().f"}
CONSTANT = {"type": "function", "entry_point": "f", "cases": [{"args": [1], "expected": True}]}
ECHO = {"type": "stdin", "cases": [{"input": f"{A} {B}\n", "output": f"{A} {B}\n"}]}
NOTHING = {"type": "asserts", "asserts": [f"assert f({A}) == None"]}


@pytest.fixture(scope="module")
def pool() -> Iterator[VerifierPool]:
    with VerifierPool(VerifierConfig(), find_domains(["code"]).values()) as opened:
        yield opened


def tried(pool: VerifierPool, tests: dict[str, Any], reference: str | None) -> tuple[str, str]:
    candidate = Candidate("s", 0, "code", "?", tests=tests, reference=reference)
    [(id_, found)] = try_programs(pool, [candidate])
    assert id_ == "s:0"
    return found


@pytest.mark.parametrize(
    ("tests", "reference"),
    [
        (FUNCTION, DOUBLE),
        (STDIN, "print(2 * int(input()))"),
        (ASSERTS, DOUBLE),
        (METHOD, "class Solution:\n    def f(self, x):\n        return 2 * x"),
    ],
)
def test_a_good_problem_stays(pool: VerifierPool, tests: dict[str, Any], reference: str):
    assert tried(pool, tests, reference) == ("", "")
    assert tried(pool, tests, None) == ("", "no reference program")
    assert len(trivial_programs(Candidate("s", 0, "code", "?", tests=tests))) == 3


@pytest.mark.parametrize(
    ("tests", "reason", "evidence"),
    [
        (CONSTANT, "trivial_passes", "the first case's value passes 1 tests"),
        (ECHO, "trivial_passes", "an echo passes 1 tests"),
        (NOTHING, "trivial_passes", "a function that returns nothing passes 1 tests"),
    ],
)
def test_trivial_programs(pool: VerifierPool, tests: dict[str, Any], reason: str, evidence: str):
    assert tried(pool, tests, None) == (reason, evidence)


def test_a_wrong_reference(pool: VerifierPool):
    reason, evidence = tried(pool, FUNCTION, "def f(x):\n    return 3 * x")
    assert reason == "reference_fails"
    assert f"got {3 * A}, expected {2 * A}" in evidence


def test_a_reference_that_passes_by_chance(pool: VerifierPool):
    flaky = "import os\ndef f(x):\n    return 2 * x + (os.urandom(1)[0] < 80)"
    reasons = {tried(pool, FUNCTION, f"{flaky}  # {i}")[0] for i in range(40)}
    assert reasons == {"", "reference_fails", "not_deterministic"}


def test_many_come_back_in_order(pool: VerifierPool):
    rows = [Candidate("s", i, "code", "?", tests=FUNCTION, reference=DOUBLE) for i in range(50)]
    assert [id_ for id_, _ in try_programs(pool, rows)] == [c.id for c in rows]
