"""Graders whose verdicts stand beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from srpo.evaluation.graders.lcb import LcbVerifier
from srpo.evaluation.graders.math_verify import MathVerify
from srpo.recipe.evaluation import Evaluation
from srpo.sandbox.mechanisms import open_sandbox
from srpo.types import Outcome, Problem, Verdict
from srpo.verifiers.domain import Verifier

LCB, MATH_VERIFY = "lcb-compatible", "math-verify"


class Beside:
    """Those that an evaluation asks for. Raises UserError for one that cannot be had here."""

    def __init__(self, config: Evaluation) -> None:
        workers = config.verifier.side_by_side
        self._graders = {name: _open(name, config) for name in config.beside}
        self._threads = ThreadPoolExecutor(workers)

    def of(self, problems: Sequence[Problem]) -> list[str]:
        """The names of those that judge all of the problems."""
        return [name for name in self._graders if all(_judges(name, p) for p in problems)]

    def fill(self, rows: list[dict[str, Any]], problems: Sequence[Problem]) -> None:
        """Add their verdicts to rows."""
        by_id = {p.id: p for p in problems}
        for name, grader in self._graders.items():
            own = [row for row in rows if _judges(name, by_id[row["id"]])]
            running = [
                self._threads.submit(_verdict, grader, by_id[row["id"]], row["response"])
                for row in own
            ]
            for row, future in zip(own, running, strict=True):
                verdict = future.result()
                row[f"{name}: outcome"] = str(verdict.outcome)
                row[f"{name}: detail"] = verdict.detail or verdict.answer or ""

    def close(self) -> None:
        """End the threads, and what of the graders has an end."""
        self._threads.shutdown()
        for grader in self._graders.values():
            if close := getattr(grader, "close", None):
                close()


def _judges(name: str, problem: Problem) -> bool:
    """LiveCodeBench has no tests of other kinds."""
    if name == MATH_VERIFY:
        return problem.domain == "math"
    return problem.tests is not None and problem.tests["type"] in ("stdin", "function")


def _open(name: str, config: Evaluation) -> Verifier:
    workers = config.verifier.side_by_side
    if name == MATH_VERIFY:
        return MathVerify(workers)
    v = config.verifier
    return LcbVerifier(open_sandbox(v.sandbox, workers, v.sandbox_url, v.python))


def _verdict(grader: Verifier, problem: Problem, text: str) -> Verdict:
    try:
        return grader(problem, text)
    except Exception as error:  # whatever fails on our side says nothing of the response
        return Verdict(Outcome.ERROR, None, f"{type(error).__name__}: {error}")
