"""Which prompts come next: one walk through epochs, whatever the strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srpo.algorithm.ledger import Ledger
from srpo.algorithm.strategies import open_strategy
from srpo.algorithm.strategies.base import Epoch
from srpo.recipe.schema import SamplerConfig
from srpo.types import Group, Problem


class Sampler:
    """Walks through epochs of prompts in a seeded order.

    An epoch's last batch holds what is left, be it less than a full one. A stage that is left
    in the middle of an epoch ends the epoch there: what was visited is decided, what was not
    stays. An epoch without prompts (all solved) shows as `size == 0`.
    """

    def __init__(
        self, problems: Sequence[Problem], config: SamplerConfig, seed: int, group_size: int = 16
    ):
        self.problems, self.config, self.seed = problems, config, seed
        self.strategy, self.group_size = open_strategy(config.strategy), group_size
        self.resting = np.zeros(len(problems), dtype=bool)  # left out of this epoch
        self.expected = np.zeros(len(problems))  # pass rates that those would have
        self.stage = ""
        self.stage_at = -1
        self.in_stage = np.zeros(len(problems), dtype=bool)
        self.epoch = 0
        self.cursor = 0
        self.order = np.zeros(0, dtype=np.int64)

    def enter(self, stage: str, domains: frozenset[str]) -> None:
        """Begin a stage's first epoch with the prompts of its domains that do not rest."""
        self.stage, self.stage_at = stage, self.stage_at + 1
        self.in_stage = np.array([p.domain in domains for p in self.problems], dtype=bool)
        self._begin(epoch=0)

    def _begin(self, epoch: int) -> None:
        self.epoch, self.cursor = epoch, 0
        prompts = np.flatnonzero(self.in_stage & ~self.resting)
        self.order = self._rng("order").permutation(prompts)

    def _rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.stage_at, self.epoch, *purpose.encode()])

    @property
    def size(self) -> int:
        """Prompts in this epoch."""
        return len(self.order)

    @property
    def dropped(self) -> int:
        """Prompts of the stage that this epoch leaves out."""
        return int(self.in_stage.sum()) - self.size

    @property
    def dropped_correct(self) -> float:
        """How many of those would be answered correctly, as the strategy expects."""
        return float(self.expected[self.in_stage & self.resting].sum())

    @property
    def epoch_over(self) -> bool:
        """Whether every prompt of the epoch has come."""
        return self.cursor >= self.size

    @property
    def rounds(self) -> int:
        """How often one step may go on sampling."""
        return self.strategy.rounds

    def next_prompts(self, groups: Sequence[Group] = ()) -> list[Problem]:
        """The prompts that the step still lacks, given the groups that it already has."""
        lacking = self.config.prompts_per_step - len(self.select(groups))
        taken = self.order[self.cursor : self.cursor + lacking]
        self.cursor += len(taken)
        return [self.problems[i] for i in taken]

    def select(self, groups: Sequence[Group]) -> list[Group]:
        """The groups to train on."""
        return self.strategy.select(groups)

    def resample(self, ledger: Ledger) -> None:
        """Decide the epoch's rows in the ledger and begin the next epoch."""
        self.decide(ledger)
        self._begin(self.epoch + 1)

    def decide(self, ledger: Ledger) -> None:
        """Close the epoch in the ledger; a stage that ends does so before the next begins."""
        rows = ledger.rows(self.stage, self.epoch)
        if rows.start == rows.stop:
            return  # not begun: its re-checks, if any, were drawn when it was made
        active = self.in_stage & ~self.resting
        epoch = Epoch(ledger, rows, self.in_stage, active, self.group_size, self._rng("recheck"))
        decision = self.strategy.decide(epoch)
        ledger.decide(rows, decision.reasons)
        self.resting = np.where(self.in_stage, decision.resting, self.resting)
        self.expected = np.where(self.in_stage, decision.expected, self.expected)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {
            "stage": self.stage,
            "stage_at": self.stage_at,
            "epoch": self.epoch,
            "cursor": self.cursor,
            "order": self.order.tolist(),
            "resting": np.flatnonzero(self.resting).tolist(),
            "in_stage": np.flatnonzero(self.in_stage).tolist(),
            "expected": self.expected[self.resting].tolist(),
            "strategy": self.strategy.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        for name in ("stage", "stage_at", "epoch", "cursor"):
            setattr(self, name, state[name])
        self.order = np.array(state["order"], dtype=np.int64)
        for name in ("resting", "in_stage"):
            mask = np.zeros(len(self.problems), dtype=bool)
            mask[state[name]] = True
            setattr(self, name, mask)
        self.expected[self.resting] = state["expected"]
        self.strategy.load_state_dict(state["strategy"])
