"""Verify many responses at once, on every core, without ever scoring a failure of ours as 0."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from srpo.recipe.schema import VerifierConfig
from srpo.sandbox.base import Limits, Sandbox
from srpo.sandbox.mechanisms import open_sandbox
from srpo.types import Domain, Outcome, Problem, UserError, Verdict
from srpo.verifiers.code.verifier import CodeVerifier
from srpo.verifiers.math.verifier import MathVerifier

Verifier = Callable[[Problem, str], Verdict]


class VerifierPool:
    """Threads in front of the math workers and the sandbox. Use as a context manager.

    Verdicts do not depend on scheduling (their `seconds` do). Whatever fails on our side is
    retried `retries` times, `backoff_s` seconds apart at first and doubling, and then is a
    Verdict with Outcome.ERROR; a future never raises, except CancelledError for what was still
    queued when the pool was closed.

    mechanism     of the sandbox, see `srpo.sandbox.mechanisms.open_sandbox`
    workers       threads, sandbox servers and math processes, each (default: one per CPU)
    limits        of a program, where its problem does not say
    math_time_s   wall-clock seconds for one comparison
    domains       what will be verified: without code, no sandbox is opened
    url           of the sandbox service, for the mechanism "sandboxfusion"
    python        that runs the programs, see `srpo.sandbox.interpreter.find_interpreter`
    conventional_imports  see `CodeVerifier`

    Raises UserError at once when this machine cannot contain programs.
    """

    def __init__(
        self,
        mechanism: str = "auto",
        workers: int | None = None,
        limits: Limits | None = None,
        math_time_s: float = 5.0,
        retries: int = 2,
        backoff_s: float = 0.2,
        domains: Iterable[Domain] = (Domain.MATH, Domain.CODE),
        url: str | None = None,
        python: str | None = None,
        conventional_imports: bool = False,
    ) -> None:
        workers = (os.cpu_count() or 1) if workers is None else workers
        if workers < 1:
            raise UserError(f"verifier workers is {workers}: give 1 or more")
        self.workers = workers
        self._retries, self._backoff_s = retries, backoff_s
        self._verifiers: dict[Domain, Verifier] = {}
        self.sandbox: Sandbox | None = None
        self.code: CodeVerifier | None = None
        self.math: MathVerifier | None = None
        if Domain.MATH in domains:
            self.math = self._verifiers[Domain.MATH] = MathVerifier(workers, math_time_s)
        if Domain.CODE in domains:
            self.sandbox = open_sandbox(mechanism, workers, url, python)
            code = CodeVerifier(self.sandbox, limits, conventional_imports=conventional_imports)
            self.code = self._verifiers[Domain.CODE] = code
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="verify")

    @classmethod
    def of(cls, config: VerifierConfig, domains: Iterable[Domain]) -> VerifierPool:
        """The pool that a recipe's `verifier` section describes."""
        return cls(
            mechanism=config.sandbox,
            url=config.sandbox_url,
            python=config.python,
            conventional_imports=config.conventional_imports,
            workers=config.workers,
            limits=Limits(time_s=config.time_limit_s, memory_mb=config.memory_mb),
            math_time_s=config.time_limit_s,
            domains=set(domains),
        )

    def submit(self, problem: Problem, text: str) -> Future[Verdict]:
        """Verify in the background."""
        return self._threads.submit(self.verify, problem, text)

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Verify now, in the calling thread. Never raises for what a problem or a text has."""
        return self._tried(lambda: self._verifiers[problem.domain](problem, text))

    def submit_program(self, problem: Problem, code: str) -> Future[Verdict]:
        """Run a code problem's tests on a program without a text around it, in the background."""
        assert self.code is not None, "the pool verifies no code"
        run = self.code.run_program
        return self._threads.submit(lambda: self._tried(lambda: run(problem, code)))

    def _tried(self, verify: Callable[[], Verdict]) -> Verdict:
        failure = ""
        for attempt in range(self._retries + 1):
            try:
                return verify()
            except (UserError, KeyError) as error:  # trying again would not help
                return Verdict(Outcome.ERROR, None, _describe(error))
            except Exception as error:
                failure = _describe(error)
            if attempt < self._retries and self._closing.wait(self._backoff_s * 2**attempt):
                break
        return Verdict(Outcome.ERROR, None, failure)

    def close(self) -> None:
        """Finish what runs, cancel what is queued, end every process. Safe to call twice."""
        self._closing.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self.math is not None:
            self.math.close()
        if self.sandbox is not None:
            self.sandbox.close()

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
