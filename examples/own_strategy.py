"""A strategy of one's own: solved prompts rest for some epochs and then come again.

In this folder:

    srpo train nano --set 'sampler.strategy={kind: own_strategy:Cooldown, epochs: 2}'

docs/extending.md explains the parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srpo.algorithm.ledger import Reason
from srpo.algorithm.strategies.base import Decision, Epoch, Strategy
from srpo.recipe.schema import Count, Section

SOLVED = Reason("drop", "cooldown: all correct, so it rests for a while")
LEARNING = Reason("keep", "cooldown: not all correct")


class CooldownSettings(Section):
    epochs: Count = 2
    """How many epochs a solved prompt rests."""


class Cooldown(Strategy):
    Settings = CooldownSettings

    def __init__(self, config: CooldownSettings):
        super().__init__(config)
        self.left: dict[int, int] = {}  # epochs that a prompt still rests

    def decide(self, epoch: Epoch) -> Decision:
        solved = (epoch.view("correct") > 0) & (epoch.view("wrong") == 0)
        self.left = {prompt: n - 1 for prompt, n in self.left.items() if n > 1}
        self.left |= dict.fromkeys(epoch.view("problem")[solved].tolist(), self.config.epochs)
        resting = np.zeros(len(epoch.stage), dtype=bool)
        resting[list(self.left)] = True
        reasons = [(SOLVED, solved), (LEARNING, ~solved)]
        return Decision(reasons, resting, expected=epoch.ledger.pass_rates())

    def state_dict(self) -> dict[str, Any]:
        return {"left": list(self.left.items())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.left = dict(state["left"])
