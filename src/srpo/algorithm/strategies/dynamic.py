"""Dynamic sampling (DAPO, arXiv 2503.14476 section 3.2): a batch of groups that inform.

Every prompt comes in every epoch, but groups without both outcomes are thrown away, and the step
samples further prompts until its batch is full. What it throws away is paid for and recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srpo.algorithm.ledger import Reason
from srpo.algorithm.strategies.base import KEEP_ALL, NO_VERDICT, Decision, Epoch, Strategy
from srpo.recipe.schema import DynamicConfig
from srpo.types import Group

ERRORED = Reason("discard", NO_VERDICT)
UNIFORM = Reason("discard", "uniform group, resampled by the dynamic strategy")


class DynamicStrategy(Strategy):
    config: DynamicConfig

    @property
    def rounds(self) -> int:
        return self.config.max_rounds

    def select(self, groups: Sequence[Group]) -> list[Group]:
        return [g for g in groups if g.is_mixed()]

    def decide(self, epoch: Epoch) -> Decision:
        correct, wrong = epoch.view("correct"), epoch.view("wrong")
        errored, uniform = correct + wrong == 0, (correct == 0) | (wrong == 0)
        reasons = [(ERRORED, errored), (UNIFORM, uniform), (KEEP_ALL, ~uniform)]
        return replace(super().decide(epoch), reasons=reasons)
