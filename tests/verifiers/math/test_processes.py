"""Workers that are killed while they work."""

from __future__ import annotations

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from srpo.types import Outcome, Problem
from srpo.verifiers.math.verifier import MathVerifier


def test_killed_workers_lose_no_verdict() -> None:
    verifier = MathVerifier(workers=2, time_limit_s=20)
    done = threading.Event()
    killed: list[int] = []
    graded: list[int] = []

    def kill() -> None:
        """Once between two verdicts at most: on a busy machine a worker takes seconds to start."""
        before = 0
        while not done.wait(random.uniform(0.05, 0.8)):
            pids = verifier.workers.pids()
            if pids and len(graded) > before:
                before = len(graded)
                killed.append(random.choice(pids))
                os.kill(killed[-1], signal.SIGKILL)

    def grade(n: int) -> Outcome:
        problem = Problem(f"p{n}", "math", "", answer=f"(x+{n})^2")
        middle = 2 * n + n % 2
        outcome = verifier(problem, f"\\boxed{{x^2 + {middle}x + {n * n}}}").outcome
        graded.append(n)
        return outcome

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(3) as threads:
            outcomes = list(threads.map(grade, range(1, 81)))
    finally:
        done.set()
        killer.join()
        verifier.close()
    assert outcomes == [Outcome.INCORRECT, Outcome.CORRECT] * 40
    assert killed


def test_a_stopped_worker_is_not_a_wrong_answer() -> None:
    verifier = MathVerifier(workers=1, time_limit_s=1.5)
    try:
        problem = Problem("p", "math", "", answer="(x+1)^2")
        verifier(problem, "\\boxed{x^2+2x+1 + y - y}")
        (pid,) = verifier.workers.pids()
        os.kill(pid, signal.SIGSTOP)
        assert verifier(problem, "\\boxed{1+2x+x^2}").outcome is Outcome.CORRECT
    finally:
        verifier.close()


def test_a_heavy_answer_on_a_busy_machine_is_a_wrong_answer() -> None:
    """Workers get a tenth of a processor, but for their start."""
    verifier = MathVerifier(workers=1, time_limit_s=1.0)
    problem = Problem("p", "math", "", answer="x+1")
    assert verifier(problem, "\\boxed{1+x}").outcome is Outcome.CORRECT
    (first,) = verifier.workers.pids()
    start_s = cpu_seconds(first)
    done = threading.Event()
    slowed: set[int] = set()

    def throttle() -> None:
        while not done.wait(0.01):
            for pid in verifier.workers.pids():
                with suppress(ProcessLookupError, FileNotFoundError):
                    if cpu_seconds(pid) >= 0.9 * start_s:
                        os.kill(pid, signal.SIGSTOP)
                        slowed.add(pid)
                        done.wait(0.1)
                        os.kill(pid, signal.SIGCONT)

    throttler = threading.Thread(target=throttle)
    throttler.start()
    try:
        verdict = verifier(problem, "\\boxed{x + 9^{9^{9^9}}}")
    finally:
        done.set()
        throttler.join()
        verifier.close()
    assert verdict.outcome is Outcome.INCORRECT, verdict
    assert "timed out" in verdict.detail
    assert len(slowed) > 1  # it was asked again


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
