"""The pool: verdicts that do not depend on scheduling, failures that are never a 0."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srpo.domains import SHIPPED, find_domain, find_domains
from srpo.recipe.schema import VerifierConfig
from srpo.sandbox.mechanisms import available
from srpo.sandbox.warm import Launched, WarmSandbox
from srpo.types import Outcome, Problem
from srpo.verifiers.code.verifier import CodeVerifier
from srpo.verifiers.math.verifier import MathVerifier
from srpo.verifiers.once import Once
from srpo.verifiers.pool import VerifierPool

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own
TWO, ONE = (VerifierConfig(sandbox=MECHANISM, workers=n, time_limit_s=5) for n in (2, 1))
DOMAINS = find_domains(SHIPPED).values()
TESTS = {"type": "function", "entry_point": "f", "cases": [{"args": [2], "expected": 4}]}
CODE = Problem("c", "code", "Double it.", tests=TESTS)
MATH = Problem("m", "math", "Add.", answer="2x")


def program(n: int) -> str:
    return f"```python\ndef f(x):\n    return {n} * x\n```"


@pytest.fixture(scope="module")
def pool() -> Iterator[VerifierPool]:
    with VerifierPool(TWO, DOMAINS) as pool:
        yield pool


def sandbox_of(pool: VerifierPool) -> WarmSandbox:
    code = pool.verifiers["code"]
    assert isinstance(code, CodeVerifier)
    assert isinstance(code.sandbox, WarmSandbox)
    return code.sandbox


def jobs() -> list[tuple[Problem, str]]:
    mixed: list[tuple[Problem, str]] = []
    for n in range(1, 13):
        mixed += [(CODE, program(n % 5)), (MATH, f"\\boxed{{{n % 4}x}}"), (MATH, f"\\boxed{{{n}")]
    return mixed


def test_same_verdicts_in_any_order(pool: VerifierPool) -> None:
    work = jobs()

    def verdicts(order: list[int]) -> list[tuple]:
        futures = {i: pool.submit(*work[i]) for i in order}
        found = [futures[i].result(timeout=60) for i in range(len(work))]
        return [(v.outcome, v.answer, v.detail) for v in found]

    first = verdicts(list(range(len(work))))
    assert first == verdicts(list(reversed(range(len(work)))))
    alone = [pool.verify(*job) for job in work]
    assert first == [(v.outcome, v.answer, v.detail) for v in alone]
    with VerifierPool(ONE, DOMAINS) as other:
        fresh = [other.submit(*job) for job in work]
        assert first == [(v.outcome, v.answer, v.detail) for v in (f.result() for f in fresh)]
    outcomes = [outcome for outcome, *_ in first]
    assert outcomes[:6] == [Outcome.INCORRECT] * 3 + [Outcome.CORRECT] * 2 + [Outcome.INCORRECT]


class Broken(WarmSandbox):
    launches = 0

    def launch(self, scratch: str) -> Launched:
        self.launches += 1
        raise RuntimeError("no more processes")


def test_a_failure_of_ours_is_an_error(pool: VerifierPool) -> None:
    broken = Broken(1)
    with VerifierPool(ONE, DOMAINS, retries=2, backoff_s=0.01) as failing:
        failing.verifiers["code"] = CodeVerifier(broken)
        verdict = failing.submit(CODE, program(2)).result()
    broken.close()
    assert verdict.outcome is Outcome.ERROR
    assert "no more processes" in verdict.detail
    assert broken.launches == 3  # once, and two retries


def test_bad_problems_are_errors_too(pool: VerifierPool) -> None:
    for bad in (
        Problem("x", "code", "?", tests={"type": "magic"}),
        Problem("x", "math", "?"),
    ):
        verdict = pool.submit(bad, program(1) + "\n\\boxed{1}").result()
        assert verdict.outcome is Outcome.ERROR
        assert "problem x" in verdict.detail


def test_killed_helpers_lose_nothing() -> None:
    """Helpers are killed at random moments while they work: every verdict is right or ERROR."""
    slow = "```python\nimport time\ndef f(x):\n    time.sleep(.02)\n    return {} * x\n```"
    with VerifierPool(TWO, [find_domain("code")], backoff_s=0.05) as pool:
        sandbox = sandbox_of(pool)
        futures = [pool.submit(CODE, slow.format(f"{n} * 0 + {2 + n % 2}")) for n in range(60)]
        for _ in range(6):
            time.sleep(0.1)
            for pid in sandbox.pids()[:1]:
                os.kill(pid, signal.SIGKILL)
        outcomes = [future.result(timeout=30).outcome for future in futures]
    right = [Outcome.CORRECT, Outcome.INCORRECT] * 30
    assert all(a in (b, Outcome.ERROR) for a, b in zip(outcomes, right, strict=True))
    assert outcomes.count(Outcome.ERROR) <= 6


def test_close_leaves_nothing() -> None:
    with VerifierPool(TWO, DOMAINS) as pool:
        for future in [pool.submit(*job) for job in jobs()[:4]]:
            future.result()
        sandbox, math = sandbox_of(pool), pool.verifiers["math"]
        assert isinstance(math, MathVerifier)
        pids = sandbox.pids() + math.workers.pids()
        scratches = [Path(f"/proc/{pid}/cwd").readlink() for pid in sandbox.pids()]
    assert pids
    assert scratches
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(scratch.exists() for scratch in scratches)


def test_once_forgets_failures_and_the_oldest() -> None:
    once: Once[int] = Once(2)
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 1) == 1
    assert once.get("a", lambda: 2) == 1
    assert [once.get(key, lambda: 3) for key in "bc"] == [3, 3]
    assert once.get("a", lambda: 4) == 4
