"""Workers that are killed while they work."""

from __future__ import annotations

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from srpo.types import Domain, Outcome, Problem
from srpo.verifiers.math import MathVerifier


def test_killed_workers_lose_no_verdict() -> None:
    verifier = MathVerifier(workers=2, time_limit_s=20)
    done = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not done.wait(random.uniform(0.05, 0.8)):
            pids = verifier.workers.pids()
            if pids:
                killed.append(random.choice(pids))
                os.kill(killed[-1], signal.SIGKILL)

    def grade(n: int) -> Outcome:
        problem = Problem(f"p{n}", Domain.MATH, "", answer=f"(x+{n})^2")
        middle = 2 * n + n % 2
        return verifier(problem, f"\\boxed{{x^2 + {middle}x + {n * n}}}").outcome

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(3) as threads:
            outcomes = list(threads.map(grade, range(1, 121)))
    finally:
        done.set()
        killer.join()
        verifier.close()
    assert outcomes == [Outcome.INCORRECT, Outcome.CORRECT] * 60
    assert killed


def test_a_stopped_worker_is_not_a_wrong_answer() -> None:
    verifier = MathVerifier(workers=1, time_limit_s=1.5)
    try:
        problem = Problem("p", Domain.MATH, "", answer="(x+1)^2")
        verifier(problem, "\\boxed{x^2+2x+1 + y - y}")
        (pid,) = verifier.workers.pids()
        os.kill(pid, signal.SIGSTOP)
        assert verifier(problem, "\\boxed{1+2x+x^2}").outcome is Outcome.CORRECT
    finally:
        verifier.close()
