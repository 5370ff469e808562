"""Hugging Face's math-verify, beside our own verdicts: https://github.com/huggingface/Math-Verify.

It stops itself by signals, which reach the main thread of a process alone, so it has processes.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec

from srpo.types import Outcome, Problem, UserError, Verdict


class MathVerify:
    """`(problem, text) -> Verdict` as math-verify has it. Raises UserError where it is missing."""

    def __init__(self, workers: int) -> None:
        if find_spec("math_verify") is None:
            raise UserError("beside: math-verify is not installed; pip install math-verify")
        self._processes = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))

    def __call__(self, problem: Problem, text: str) -> Verdict:
        golds = problem.answer if isinstance(problem.answer, tuple) else (problem.answer or "",)
        right, answer = self._processes.submit(_verified, golds, text).result()
        return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, answer)

    def close(self) -> None:
        """End the processes."""
        self._processes.shutdown(cancel_futures=True)


def _verified(golds: tuple[str, ...], text: str) -> tuple[bool, str | None]:
    """With its usual settings, but that an answer in a box goes before all others."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    kinds = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
    answer = parse(text, kinds)
    right = any(verify(parse(f"${gold}$", kinds), answer) for gold in golds)
    return bool(right), str(answer[-1]) if answer else None
