"""How good the policy is on held-out problems, at some points of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from srpo.evaluation.evaluate import summarize
from srpo.recipe.schema import EvalConfig
from srpo.rollout.collector import Collector
from srpo.rollout.engine import Sampling
from srpo.types import Problem

EVAL_STREAM = 1  # keeps these random numbers apart from training's

Line = dict[str, Any]


class Evaluator:
    """Evaluates each point of a run once. `results` has a line for each, in order.

    A point is base, final, a stage's name for its end, or "step N" on the way.
    """

    def __init__(
        self,
        problems: list[Problem],
        fingerprint: str,
        config: EvalConfig,
        seed: int,
        collector: Collector,
        done: Callable[[list[Line]], None],
    ):
        """`fingerprint` is that of the problems; `done` is told all results when there is one
        more."""
        self.problems, self.fingerprint, self.config = problems, fingerprint, config
        self.collector, self.done = collector, done
        self.seeds = [seed_of(problem, seed) for problem in problems]
        self.results: list[Line] = []

    def evaluate(self, point: str, step: int, generated: int, check: Callable[[], None]) -> None:
        """Evaluate, if the recipe wants this point; the same weights are not sampled from twice.

        Args:
            step: optimizer steps so far.
            generated: tokens generated in training so far.
            check: is called all the time; what it raises ends the evaluation without a result.
        """
        if not self._wants(point, step):
            return
        if point == "final":
            self._rename_earlier_end(step)
        if any(e["point"] == point for e in self.results):
            return
        same = next((e for e in self.results if e["step"] == step), None) or self._measure(check)
        place = {"point": point, "step": step, "generated_tokens": generated}
        place["fingerprint"] = self.fingerprint
        self.results.append(place | same | place)
        self.done(self.results)

    def _rename_earlier_end(self, step: int) -> None:
        """A run that was made longer has another end; what was its end is on the way now."""
        for line in self.results:
            if line["point"] == "final" and line["step"] != step:
                line["point"] = f"step {line['step']}"
        points = [e["point"] for e in self.results]
        self.results = [e for i, e in enumerate(self.results) if e["point"] not in points[:i]]

    def _wants(self, point: str, step: int) -> bool:
        if point.startswith("step "):
            return bool(self.problems and self.config.every and step % self.config.every == 0)
        return bool(self.problems) and point in self.config.at

    def _measure(self, check: Callable[[], None]) -> Line:
        def on_phase(name: str, done: int, total: int) -> None:
            check()
            if name == "rollout":
                self.collector.on_phase("evaluate", done, total)

        n = self.config.samples
        sampling = self._sampling()
        groups = self.collector.sample(self.problems, n, self.seeds, on_phase, sampling).groups
        self.collector.check(groups)
        return summarize(groups)

    def _sampling(self) -> Sampling:
        """As in training, but for what the recipe's section says."""
        usual, own = self.collector.sampling, self.config
        return replace(
            usual,
            temperature=own.temperature or usual.temperature,
            max_new_tokens=own.max_new_tokens or usual.max_new_tokens,
        )


def seed_of(problem: Problem, seed: int) -> int:
    """63 bits by the run's seed and the problem's name: what else is evaluated, in which order and
    at what size of batch changes no random number."""
    name = int.from_bytes(hashlib.sha256(problem.id.encode()).digest()[:8], "big")
    drawn = np.random.SeedSequence([seed, EVAL_STREAM, name]).generate_state(1, np.uint64)
    return int(drawn[0]) >> 1
