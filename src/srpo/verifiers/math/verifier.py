"""Verdicts on mathematics: extract the final answer, compare it with the gold answer.

Two steps: compare the answers' structure with exact leaves, here; where that cannot say, again
with sympy as leaf, in a process that is killed when its time is up. docs/math-policy.md says
what counts as equal.
"""

from __future__ import annotations

import time

from srpo.types import Outcome, Problem, UserError, Verdict
from srpo.verifiers.math.answer import nesting
from srpo.verifiers.math.compare import ExactLeaves, equivalent
from srpo.verifiers.math.echo import repeats, without_asked
from srpo.verifiers.math.extract import extract_answer
from srpo.verifiers.math.processes import Comparison, MathWorkers
from srpo.verifiers.once import Once

__all__ = ["MathVerifier", "extract_answer"]

MAX_ANSWER_CHARS = 1000  # no gold answer of the usual sets is half as long
MAX_NESTING = 40


class MathVerifier:
    """`(problem, text) -> Verdict` by the problem's `answer` (or any one of several).

    A response that makes the comparison run out of time is INCORRECT ("timed out"); only when
    the gold answer does so by itself too is it an ERROR, ours. Raises UserError when
    the problem has no answer, MathWorkerError when the machinery fails.

    workers       processes, each started when first needed
    time_limit_s  CPU seconds for one comparison; by the clock at most a few times as many
    cache_size    comparisons remembered
    digits        significant digits that make 0.333333 a third
    prose         take an unmarked answer from running text, see `extract_answer`
    """

    def __init__(
        self,
        workers: int = 1,
        time_limit_s: float = 5.0,
        cache_size: int = 8192,
        digits: int = 6,
        prose: bool = False,
    ) -> None:
        if workers < 1:
            raise UserError(f"math workers is {workers}: give 1 or more")
        if not time_limit_s > 0:
            raise UserError(f"math time_limit_s is {time_limit_s}: give seconds above 0")
        if digits < 1:
            raise UserError(f"math digits is {digits}: give 1 or more")
        self._limit_s, self._digits, self._prose = time_limit_s, digits, prose
        self._leaves = ExactLeaves(digits)
        self._once: Once[Comparison] = Once(cache_size)
        self.workers = MathWorkers(workers)

    def __call__(self, problem: Problem, text: str) -> Verdict:
        start = time.perf_counter()
        outcome, answer, detail = self._verify(problem, text)
        return Verdict(outcome, answer, detail, time.perf_counter() - start)

    def close(self) -> None:
        """End the worker processes."""
        self.workers.close()

    def _verify(self, problem: Problem, text: str) -> tuple[Outcome, str | None, str]:
        golds = _golds(problem)
        answer = extract_answer(text, self._prose)
        if answer is None:
            return Outcome.INCORRECT, None, "no final answer found"
        if len(answer) > MAX_ANSWER_CHARS:
            detail = f"an answer of {len(answer)} characters"
            return Outcome.INCORRECT, answer[:MAX_ANSWER_CHARS], detail
        if nesting(answer) > MAX_NESTING:
            return Outcome.INCORRECT, answer, "an answer nested too deep"
        troubles: list[str] = []
        given = without_asked(problem.prompt, answer)
        for gold in golds:
            comparison = self._compare(gold, given)
            if comparison.equal and repeats(problem.prompt, golds, given):
                return Outcome.INCORRECT, answer, "repeats the question"
            if comparison.equal:
                return Outcome.CORRECT, answer, ""
            if comparison.equal is None and self._is_bomb(gold):
                return Outcome.ERROR, answer, f"the gold answer itself {comparison.detail}: {gold}"
            troubles += [comparison.detail] if comparison.detail else []
        detail = f"got {answer[:80]}, expected {' or '.join(golds)[:80]}"
        return Outcome.INCORRECT, answer, "; ".join([*troubles[:1], detail])

    def _compare(self, gold: str, answer: str) -> Comparison:
        equal = equivalent(gold, answer, self._leaves)
        return self._ask(gold, answer) if equal is None else Comparison(equal)

    def _is_bomb(self, gold: str) -> bool:
        """Whether the gold answer runs out of time against itself, or against a plain number."""
        return any(self._ask(gold, other).equal is None for other in (gold, "1"))

    def _ask(self, gold: str, answer: str) -> Comparison:
        return self._once.get(
            (gold, answer), lambda: self.workers.compare(gold, answer, self._digits, self._limit_s)
        )


def _golds(problem: Problem) -> tuple[str, ...]:
    answer = problem.answer
    golds = (answer,) if isinstance(answer, str) else tuple(answer or ())
    if not golds or not all(isinstance(gold, str) and gold.strip() for gold in golds):
        raise UserError(
            f"problem {problem.id}.answer is {answer!r}: give a string, or a list of strings"
        )
    plain = (extract_answer(gold) or gold if "box" in gold else gold for gold in golds)
    return tuple(without_asked(problem.prompt, gold) for gold in plain)
