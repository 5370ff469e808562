"""One step ahead (`rollout.ahead`): the next step's groups are sampled while this one learns.

    step k    sample k+1 by the weights of k-1   |   learn from k        at the same time
              wait for both; the engine gets the weights of k

So every group is by weights exactly one step older than without, whatever takes how long: nothing
is thrown away, and a run is the same however fast its parts are. The loss corrects by the engine's
log-probabilities. Where the next prompts are not known yet (at the end of an epoch, which History
Resampling decides by all of it) or not wanted any more, nothing is sampled ahead, and the step
after samples for itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from srpo.algorithm.sampler import Sampler
from srpo.rollout.collector import Collected, Collector
from srpo.types import FinishReason, Group, Outcome, Problem, Reward, Rollout, Verdict

WORDS, TOKENS = "ahead.json", "ahead.npz"  # of a checkpoint


class Abandoned(Exception):
    """Learning failed, or a second signal came: the sampling beside it is of no use."""


class Ahead:
    """Holds at most one step's groups."""

    def __init__(self, collector: Collector, sampler: Sampler, on: bool):
        """Without `on` every step samples for itself."""
        self.collector, self.sampler, self.on = collector, sampler, on
        self.pending: Collected | None = None
        self.given_up = False
        # One thread for all of the run: processes that it starts may end with it.
        self.thread = ThreadPoolExecutor(1, "ahead")

    def take(self, step: int) -> tuple[Collected, int]:
        """A step's groups, and how many steps before it their weights are from: 1, or 2 where they
        were sampled ahead. Raises as `Collector.step`."""
        found, self.pending = self.pending, None
        return (found, 2) if found else (self.collector.step(step, self.sampler), 1)

    @contextmanager
    def sampling(self, step: int, wanted: bool) -> Iterator[bool]:
        """Around a step's learning: the groups of `step`, the next one, are sampled beside it,
        unless none are wanted or known. Gives whether they are. Raises as `Collector.step`."""
        if not (self.on and wanted) or self.sampler.epoch_over:
            yield False
            return
        quiet = replace(self.collector, on_phase=self._go_on)
        future = self.thread.submit(quiet.step, step, self.sampler)
        try:
            yield True
        except BaseException:
            self.given_up = True
            raise
        finally:  # also when learning failed: the engine is not to be left in the middle
            start = time.perf_counter()
            failure = future.exception()
            waited = time.perf_counter() - start
        if failure:
            raise failure
        self.pending = future.result()
        taken = self.pending.rollout_seconds + self.pending.verify_seconds
        self.pending.hidden_seconds = max(0.0, taken - waited)

    def _go_on(self, *_: object) -> None:
        """Ends a sampling that nobody waits for any more, at its next group or verdict."""
        if self.given_up:
            raise Abandoned

    def close(self) -> None:
        """Nothing is left running."""
        self.given_up = True
        self.thread.shutdown()

    def save(self, folder: Path) -> None:
        """Write the groups that wait, if any."""
        if self.pending is None:
            return
        rollouts = [r for g in self.pending.groups for r in g.rollouts]
        np.savez(
            folder / TOKENS,
            lengths=np.array([len(r.token_ids) for r in rollouts], dtype=np.int64),
            token_ids=_joined([r.token_ids for r in rollouts], np.int32),
            logprobs=_joined([r.logprobs for r in rollouts], np.float32),
        )
        seconds = {k: v for k, v in vars(self.pending).items() if k != "groups"}
        groups = [_group_words(group) for group in self.pending.groups]
        (folder / WORDS).write_text(json.dumps({"seconds": seconds, "groups": groups}))

    def load(
        self, folder: Path, problems: Sequence[Problem], prompt_ids: Callable[[Problem], list[int]]
    ) -> None:
        """Read what `save` wrote."""
        self.pending = None
        if not (folder / WORDS).is_file():
            return
        plain = json.loads((folder / WORDS).read_text())
        by_id = {problem.id: problem for problem in problems}
        with np.load(folder / TOKENS, allow_pickle=False) as arrays:
            ends = np.cumsum(arrays["lengths"])[:-1]
            tokens = iter(np.split(arrays["token_ids"], ends))
            logprobs = iter(np.split(arrays["logprobs"], ends))
        groups = []
        for words in plain["groups"]:
            problem = by_id[words["problem"]]
            rollouts = [_rollout(w, next(tokens), next(logprobs)) for w in words["rollouts"]]
            groups.append(Group(problem, prompt_ids(problem), rollouts))
        self.pending = Collected(groups, **plain["seconds"])


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _group_words(group: Group) -> dict[str, Any]:
    """All but the tokens."""
    return {
        "problem": group.problem.id,
        "rollouts": [
            {
                "text": r.text,
                "finish_reason": str(r.finish_reason),
                "policy_version": r.policy_version,
                "verdict": r.verdict and asdict(r.verdict),
                "reward": r.reward and asdict(r.reward),
            }
            for r in group.rollouts
        ],
    }


def _rollout(words: dict[str, Any], token_ids: np.ndarray, logprobs: np.ndarray) -> Rollout:
    verdict, reward = words["verdict"], words["reward"]
    if verdict:
        verdict = Verdict(**{**verdict, "outcome": Outcome(verdict["outcome"])})
    return Rollout(
        token_ids=token_ids,
        logprobs=logprobs,
        text=words["text"],
        finish_reason=FinishReason(words["finish_reason"]),
        policy_version=words["policy_version"],
        verdict=verdict or None,
        reward=Reward(**reward) if reward else None,
    )
