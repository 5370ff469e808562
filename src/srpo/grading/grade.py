"""Grade answers offline, by the code that training runs: `grade`, and `Grader` for many.

from srpo.grading.grade import Grader, grade

grade({"prompt": "6*7?", "answer": "42"}, "\\\\boxed{42}").correct

with Grader() as grader:
    for graded in grader.grade_many(pairs):
        ...
    graded = await grader.grade_async(problem, response)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from srpo.data.problem import parse_problem
from srpo.domains import SHIPPED, find_domains
from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.types import Outcome, Problem, Reward, UserError, Verdict, short
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.reward import RewardRule

AHEAD = 64  # responses under way at once, for each worker: memory does not grow with the file

OUTPUT_KEYS = ("id", "outcome", "reward", "answer", "detail", "seconds")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Graded:
    """One response's verdict; `reward` is None when the verdict is an error of ours."""

    id: str
    domain: str
    verdict: Verdict
    reward: Reward | None

    @property
    def outcome(self) -> Outcome:
        """Correct, incorrect, or an error of ours."""
        return self.verdict.outcome

    @property
    def correct(self) -> bool:
        """Whether the answer is right. An error of ours is not: `outcome` tells it apart."""
        return self.outcome is Outcome.CORRECT

    def row(self) -> Row:
        """As `srpo grade` writes it."""
        v = self.verdict
        return {
            "id": self.id,
            "outcome": str(v.outcome),
            "reward": self.reward.row() if self.reward else None,
            "answer": v.answer,
            "detail": v.detail,
            "seconds": round(v.seconds, 6),
        }


class Grader:
    """Workers that stay warm over many responses; use it as a context manager.

    verifier   sandbox, limits and number of workers, as a recipe has them
    rewards    weights and formats of the reward, as a recipe has them
    domains    what will be graded, by name or as `package.module:NAME`: without code no sandbox is
               opened

    Its methods may be called from any thread and from asyncio. Raises UserError for a problem
    that is not what `srpo.data.problem` describes, and at once when code is to be graded on a
    machine that cannot contain it.
    """

    def __init__(
        self,
        verifier: VerifierConfig | None = None,
        rewards: RewardConfig | None = None,
        domains: Iterable[str] = SHIPPED,
    ) -> None:
        self.domains = find_domains(domains)
        self._known = find_domains(SHIPPED) | self.domains  # what problems may be of
        self._reward = RewardRule(rewards or RewardConfig(), self.domains)
        self.pool = VerifierPool(verifier or VerifierConfig(), self.domains.values())

    def grade(self, problem: Problem | Row, response: str) -> Graded:
        """One response, in the calling thread. A failure of ours is Outcome.ERROR, no exception."""
        problem, text = self._problem(problem, "problem"), _text(response, "response")
        return self._graded(problem, text, self.pool.verify(problem, text))

    async def grade_async(self, problem: Problem | Row, response: str) -> Graded:
        """One response, without holding the event loop up."""
        problem, text = self._problem(problem, "problem"), _text(response, "response")
        verdict = await asyncio.wrap_future(self.pool.submit(problem, text))
        return self._graded(problem, text, verdict)

    def grade_many(self, pairs: Iterable[tuple[Problem | Row, str]]) -> Iterator[Graded]:
        """Verdicts and rewards in the order of `pairs`, on every core. Reads ahead a little."""
        waiting: deque[tuple[Problem, str, Future[Verdict]]] = deque()
        for number, (row, response) in enumerate(pairs, 1):
            problem = self._problem(row, f"problem {number}")
            text = _text(response, f"response {number}")
            waiting.append((problem, text, self.pool.submit(problem, text)))
            while len(waiting) >= AHEAD * self.pool.workers or (waiting and waiting[0][2].done()):
                problem, text, future = waiting.popleft()
                yield self._graded(problem, text, future.result())
        for problem, text, future in waiting:
            yield self._graded(problem, text, future.result())

    def reward(self, problem: Problem, response: str, verdict: Verdict) -> Reward | None:
        """What training would give; None for an ERROR verdict."""
        if verdict.outcome is Outcome.ERROR:
            return None
        return self._reward(problem, response, verdict)

    def _problem(self, row: Problem | Row, where: str) -> Problem:
        return parse_problem(row, where, self._known, default_id=where)

    def _graded(self, problem: Problem, text: str, verdict: Verdict) -> Graded:
        return Graded(problem.id, problem.domain, verdict, self.reward(problem, text, verdict))

    def close(self) -> None:
        """End every worker. Safe to call twice."""
        self.pool.close()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def grade(problem: Problem | Row, response: str) -> Graded:
    """Grade one response. Starts the workers and ends them: for many, use a `Grader`."""
    problem = parse_problem(problem, "problem", default_id="problem")
    with Grader(VerifierConfig(workers=1), domains=[problem.domain]) as grader:
        return grader.grade(problem, response)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where} is {short(value)}: give a text")
    return value
