"""Verdicts on mathematics, through real math-verify processes."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.math.verifier import MathVerifier


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    verifier = MathVerifier(workers=1, time_limit_s=3.0)
    yield verifier
    verifier.close()


def problem(answer) -> Problem:
    return Problem("p", "math", "Compute.", answer=answer)


@pytest.mark.parametrize(
    ("gold", "answer", "correct"),
    [
        ("1/2", "\\frac{1}{2}", True),
        ("0.5", "\\frac{2}{4}", True),
        ("10", "11", False),
        ("x^2+2x+1", "(x+1)^2", True),
        ("\\sqrt{8}", "2\\sqrt{2}", True),
        ("\\frac{\\pi}{2}", "\\frac{\\pi}{3}", False),
        ("\\{1,2\\}", "\\{2,1\\}", True),
        ("(1,2)", "(2,1)", False),
        ("[0,1)", "[0,1)", True),
        ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", True),
        ("\\text{east}", "\\text{east}", True),
        (("3", "4"), "4", True),
        ("$\\frac{3}{4}$", "0.75", True),
        ("2", "\\text{two apples", False),
        ("2", "}{", False),
    ],
)
def test_equivalence(verifier: MathVerifier, gold, answer: str, correct: bool) -> None:
    verdict = verifier(problem(gold), f"Thus \\boxed{{{answer}}}.")
    assert verdict.outcome is (Outcome.CORRECT if correct else Outcome.INCORRECT), verdict


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no idea", "no final answer"),
        ("\\boxed{2 \\in 7 \\in 7}", "expected 7"),
        ("\\boxed{7} no, \\boxed{8}", "got 8, expected 7"),
        ("\\boxed{" + "9" * 100_000 + "}", "100000 characters"),
        ("\\boxed{" + "(" * 900 + "}", "nested too deep"),
        ("\\boxed{" + "\\sqrt{" * 100 + "2" + "}" * 100 + "}", "nested too deep"),
        ("\\boxed{" + "\\sqrt{" * 30 + "2" + "}" * 30 + "}", "expected 7"),
        ("\\boxed{" + "1+" * 400 + "1}", "expected 7"),
    ],
)
def test_incorrect_says_why(verifier: MathVerifier, text: str, words: str) -> None:
    verdict = verifier(problem("7"), text)
    assert verdict.outcome is Outcome.INCORRECT
    assert words in verdict.detail


@pytest.mark.parametrize(
    "bomb", ["9^{9^{9^9}}", "10^{10^{9}}", "99999999!!!", "\\prod_{k=1}^{10^{9}} k^k"]
)
def test_bombs_cost_their_limit(bomb: str) -> None:
    verifier = MathVerifier(workers=1, time_limit_s=0.8)
    try:
        verifier(problem("x+1"), "\\boxed{1+x}")  # the worker is up
        start = time.monotonic()
        verdict = verifier(problem("7"), f"\\boxed{{{bomb}}}")
        assert time.monotonic() - start < 15  # a second when the machine has time
        assert verdict.outcome is Outcome.INCORRECT
        assert verifier(problem("2x"), "\\boxed{x+x}").outcome is Outcome.CORRECT
    finally:
        verifier.close()


def test_a_bomb_as_gold_is_our_error() -> None:
    verifier = MathVerifier(workers=1, time_limit_s=0.5)
    try:
        verdict = verifier(problem("9^{9^{9^9}} + x"), "\\boxed{7}")
        assert verdict.outcome is Outcome.ERROR, verdict
        assert "gold answer itself timed out" in verdict.detail
    finally:
        verifier.close()


def test_killed_worker_is_replaced(verifier: MathVerifier) -> None:
    verifier(problem("x+y"), "\\boxed{y+x}")
    (pid,) = verifier.workers.pids()
    os.kill(pid, signal.SIGKILL)
    assert verifier(problem("x+z"), "\\boxed{z+x}").outcome is Outcome.CORRECT
    assert verifier.workers.pids() != [pid]


def test_from_other_threads_and_asyncio(verifier: MathVerifier) -> None:
    outcomes: list[Outcome] = []

    def work(n: int) -> None:
        outcomes.append(verifier(problem(f"{n}x"), f"\\boxed{{x \\cdot {n}}}").outcome)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(work, n) for n in range(6, 9)))

    asyncio.run(main())
    assert outcomes == [Outcome.CORRECT] * 7


def test_close_leaves_no_process() -> None:
    verifier = MathVerifier(workers=1)
    verifier(problem("x+1"), "\\boxed{1+x}")
    (pid,) = verifier.workers.pids()
    verifier.close()
    verifier.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("answer", [None, "", (), ("1", " ")])
def test_a_problem_needs_an_answer(verifier: MathVerifier, answer) -> None:
    with pytest.raises(UserError, match=r"problem p\.answer"):
        verifier(problem(answer), "\\boxed{1}")
