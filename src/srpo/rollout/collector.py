"""Groups for a step or an evaluation: sampled, and judged as soon as each of them is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from srpo.recipe.schema import RolloutConfig
from srpo.rollout.engine import Request, RolloutEngine, Sampling
from srpo.types import (
    FinishReason,
    Group,
    Outcome,
    Problem,
    Reward,
    Rollout,
    TrainingError,
    Verdict,
)

TRAIN_STREAM = 0  # keeps these random numbers apart from all others that the seed gives

Judge = Callable[[Problem, str], "Future[Verdict]"]
RewardFunction = Callable[[Problem, str, Verdict], Reward]
OnPhase = Callable[[str, int, int], None]  # name, done, total


class Prompts(Protocol):
    """Where the prompts of a step come from."""

    @property
    def rounds(self) -> int:
        """How often one step may go on sampling."""
        ...

    def next_prompts(self, groups: Sequence[Group]) -> list[Problem]:
        """What the step still lacks, given the groups that it has; empty at an epoch's end."""
        ...


@dataclass
class Collected:
    """Groups in the order of the prompts, and where the time went, in seconds."""

    groups: list[Group] = field(default_factory=list)
    rollout_seconds: float = 0.0
    verify_seconds: float = 0.0
    hidden_seconds: float | None = None  # of these, behind learning: where it was sampled ahead

    def add(self, more: Collected) -> None:
        self.groups += more.groups
        self.rollout_seconds += more.rollout_seconds
        self.verify_seconds += more.verify_seconds


@dataclass(frozen=True)
class Collector:
    """Asks the engine for groups, and the verifiers about each rollout.

    engine            that samples
    prompt_ids        the tokens that the model is asked a problem with
    judge             begins to verify a response
    reward            of a response with a verdict
    config            how many rollouts, and how they are sampled
    seed              of the run
    max_error_share   of the verdicts, that may be errors of our machinery
    on_phase          is told how far it is; what it raises ends the collecting
    overlong          what a response of so many tokens loses of its reward
    expected          tokens that a response to each problem is likely to have, 0 for unknown
    """

    engine: RolloutEngine
    prompt_ids: Callable[[Problem], list[int]]
    judge: Judge
    reward: RewardFunction
    config: RolloutConfig
    seed: int
    max_error_share: float
    on_phase: OnPhase = lambda *_: None
    overlong: Callable[[int], float] = lambda _: 0.0
    expected: Callable[[Sequence[Problem]], Sequence[float]] = lambda problems: (
        [0.0] * len(problems)
    )

    @property
    def sampling(self) -> Sampling:
        return Sampling.of(self.config)

    def step(self, number: int, prompts: Prompts) -> Collected:
        """Groups for one step. Dynamic sampling goes on until enough of them inform, the epoch
        ends or its rounds are used up; what it throws away is in them, to be recorded and paid
        for. Raises TrainingError and EngineError."""
        total = Collected()
        for _ in range(prompts.rounds):
            problems = prompts.next_prompts(total.groups)
            if not problems:
                break
            sequence = np.random.SeedSequence([self.seed, TRAIN_STREAM, number, len(total.groups)])
            seeds = sequence.generate_state(len(problems), np.uint64) >> np.uint64(1)
            total.add(self.sample(problems, self.config.group_size, seeds.tolist(), self.on_phase))
        self.check(total.groups)
        return total

    def sample(
        self,
        problems: list[Problem],
        n: int,
        seeds: list[int],
        on_phase: OnPhase,
        sampling: Sampling | None = None,
    ) -> Collected:
        """n rollouts of each problem, by a seed of 63 bits for each; sampled as in training, unless
        said otherwise.

        The verdicts come back in any order; the groups do not depend on it.
        """
        start = time.perf_counter()
        requests = [
            Request(i, self.prompt_ids(problem), n, seed, expected)
            for i, (problem, seed, expected) in enumerate(
                zip(problems, seeds, self.expected(problems), strict=True)
            )
        ]
        groups: dict[int, Group] = {}
        pending: list[tuple[Problem, Rollout, Future[Verdict]]] = []
        with closing(self.engine.generate(requests, sampling or self.sampling)) as finished:
            for request, rollouts in finished:
                problem = problems[request.index]
                groups[request.index] = Group(problem, request.prompt_ids, rollouts)
                for rollout in rollouts:
                    if rollout.finish_reason is FinishReason.ABORT:
                        rollout.verdict = Verdict(Outcome.ERROR, detail="the engine gave up, twice")
                    else:
                        pending.append((problem, rollout, self.judge(problem, rollout.text)))
                on_phase("rollout", len(groups), len(requests))
        decoded = time.perf_counter()
        for done, (problem, rollout, future) in enumerate(pending, 1):
            rollout.verdict = future.result()
            if rollout.verdict.outcome is not Outcome.ERROR:  # our failure earns nothing, not 0
                rollout.reward = self._reward(problem, rollout, rollout.verdict)
            on_phase("verify", done, len(pending))
        in_order = [groups[i] for i in range(len(requests))]
        return Collected(in_order, decoded - start, time.perf_counter() - decoded)

    def _reward(self, problem: Problem, rollout: Rollout, verdict: Verdict) -> Reward:
        found = self.reward(problem, rollout.text, verdict)
        lost = self.overlong(len(rollout.token_ids))
        return replace(found, overlong=lost, total=found.total - lost) if lost else found

    def check(self, groups: Sequence[Group]) -> None:
        """Learning from what our failures left over would be learning from noise, and measuring
        it measuring noise. Raises TrainingError when they are too many."""
        verdicts = [r.verdict for g in groups for r in g.rollouts if r.verdict]
        errors = [v for v in verdicts if v.outcome is Outcome.ERROR]
        if len(errors) > self.max_error_share * len(verdicts):
            raise TrainingError(
                f"{len(errors)} of {len(verdicts)} verdicts are errors of the machinery, more than"
                f" verifier.max_error_share {self.max_error_share}; the first: {errors[0].detail}."
                " Mend it (srpo doctor)"
            )
