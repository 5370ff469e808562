"""Verify many responses at once, on every core, without ever scoring a failure of ours as 0."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Protocol, runtime_checkable

from srpo.recipe.own import load_own
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome, Problem, UserError, Verdict, short
from srpo.verifiers.domain import Domain, Verifier


@runtime_checkable
class RunsPrograms(Protocol):
    """A verifier that can run a program without a text around it."""

    def run_program(self, problem: Problem, code: str) -> Verdict: ...


class VerifierPool:
    """Threads in front of the domains' verifiers. Use as a context manager.

    Verdicts do not depend on scheduling (their `seconds` do). Whatever fails on our side is
    retried `retries` times, `backoff_s` seconds apart at first and doubling, and then is a
    Verdict with Outcome.ERROR; a future never raises, except CancelledError for what was still
    queued when the pool was closed.

    config     a recipe's `verifier` section
    domains    what will be verified: without code, no sandbox is opened

    Raises UserError at once when this machine cannot contain programs, and for a verifier of the
    recipe's own that cannot be loaded.
    """

    def __init__(
        self,
        config: VerifierConfig,
        domains: Iterable[Domain],
        retries: int = 2,
        backoff_s: float = 0.2,
    ) -> None:
        self.workers = config.side_by_side
        self._retries, self._backoff_s = retries, backoff_s
        with ExitStack() as opened:
            self.verifiers = _open(config, domains, opened)
            self._opened = opened.pop_all()
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="verify")

    def submit(self, problem: Problem, text: str) -> Future[Verdict]:
        """Verify in the background."""
        return self._threads.submit(self.verify, problem, text)

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Verify now, in the calling thread. Never raises for what a problem or a text has."""
        return self._tried(lambda: self.verifiers[problem.domain](problem, text))

    def submit_program(self, problem: Problem, code: str) -> Future[Verdict]:
        """Run a code problem's tests on a program without a text around it, in the background."""
        code_verifier = self.verifiers[problem.domain]
        assert isinstance(code_verifier, RunsPrograms), problem.domain
        run = code_verifier.run_program
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
        self._opened.close()

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(
    config: VerifierConfig, domains: Iterable[Domain], opened: ExitStack
) -> dict[str, Verifier]:
    """Each domain's verifier, or the recipe's own; what is to be closed goes on `opened`."""
    found: dict[str, Verifier] = {}
    for domain in domains:
        if name := config.own.get(domain.name):
            found[domain.name] = own_verifier(name, f"verifier.own.{domain.name}")
            continue
        verifier = found[domain.name] = domain.verifier(config)
        if close := getattr(verifier, "close", None):
            opened.callback(close)
    if unknown := sorted(set(config.own) - set(found)):
        raise UserError(
            f"verifier.own.{unknown[0]}: there are no problems of that domain; the domains are"
            f" {', '.join(sorted(found))}"
        )
    return found


def own_verifier(name: str, field: str) -> Verifier:
    """The recipe's own, by `package.module:name`. Raises UserError for what is none."""
    own = load_own(name, field)
    if not callable(own):
        raise UserError(f"{field}: {name!r} is {short(own)}: give a function (problem, text)")

    def verify(problem: Problem, text: str) -> Verdict:
        verdict = own(problem, text)
        if not isinstance(verdict, Verdict):
            raise UserError(f"{field}: {name!r} has returned {short(verdict)}, no srpo.Verdict")
        return verdict

    return verify


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
