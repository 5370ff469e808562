"""Sample a group for each prompt, and have every rollout judged as soon as its group is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from srpo.rollout.engine import Request, RolloutEngine, Sampling
from srpo.types import FinishReason, Group, Outcome, Problem, Reward, Rollout, Verdict

Judge = Callable[[Problem, str], "Future[Verdict]"]
RewardFunction = Callable[[Problem, str, Verdict], Reward]
OnPhase = Callable[[str, int, int], None]


@dataclass
class Collected:
    """Groups in the order of the prompts, and where the time went, in seconds."""

    groups: list[Group]
    rollout_seconds: float
    verify_seconds: float


def collect(
    engine: RolloutEngine,
    prompts: list[tuple[Problem, list[int]]],
    group_size: int,
    seeds: list[int],
    sampling: Sampling,
    judge: Judge,
    reward: RewardFunction,
    on_phase: OnPhase = lambda *_: None,
) -> Collected:
    """Roll out and verify `prompts`, pairs of a problem and its prompt's token ids.

    The verdicts come back in any order; the groups do not depend on it.
    """
    start = time.perf_counter()
    requests = [
        Request(i, ids, group_size, seed)
        for i, ((_, ids), seed) in enumerate(zip(prompts, seeds, strict=True))
    ]
    groups: dict[int, Group] = {}
    pending: list[tuple[Problem, Rollout, Future[Verdict]]] = []
    for request, rollouts in engine.generate(requests, sampling):
        problem, ids = prompts[request.index]
        groups[request.index] = Group(problem, ids, rollouts)
        for rollout in rollouts:
            if rollout.finish_reason is FinishReason.ABORT:
                rollout.verdict = Verdict(Outcome.ERROR, detail="the engine gave up, twice")
            else:
                pending.append((problem, rollout, judge(problem, rollout.text)))
        on_phase("rollout", len(groups), len(requests))
    decoded = time.perf_counter()
    for done, (problem, rollout, future) in enumerate(pending, 1):
        rollout.verdict = future.result()
        if rollout.verdict.outcome is not Outcome.ERROR:  # our failure earns nothing, not 0
            rollout.reward = reward(problem, rollout.text, rollout.verdict)
        on_phase("verify", done, len(pending))
    return Collected(
        [groups[i] for i in range(len(requests))], decoded - start, time.perf_counter() - decoded
    )
