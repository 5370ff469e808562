"""What a strategy is: which prompts come next, which groups are trained on, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srpo.algorithm.ledger import Ledger, Reason
from srpo.recipe.schema import Section
from srpo.types import Group

NO_VERDICT = "no verdict: every rollout errored"
KEEP_ALL = Reason("keep", "strategy keeps every prompt")


@dataclass(frozen=True)
class Epoch:
    """An epoch that is over, or left with its stage: R groups of it are in the ledger.

    P is the number of prompts of the whole run, in the ledger's order.
    """

    ledger: Ledger
    rows: slice  # where the ledger has its groups
    stage: np.ndarray  # (P,) bool, the prompts of the stage
    active: np.ndarray  # (P,) bool, those of them that the epoch has, visited or not
    group_size: int
    rng: np.random.Generator  # of this epoch's own: a resumed run draws the same

    def view(self, column: str) -> np.ndarray:
        """(R,) one column of the ledger: problem, correct, wrong, errored, ..."""
        return self.ledger.view(column, self.rows)


@dataclass(frozen=True)
class Decision:
    """What follows from an epoch.

    reasons   for its groups, each with the (R,) bool mask of those it may be the reason of: the
              first that holds is
    resting   (P,) bool, prompts that the next epoch leaves out; others than the stage's stay as
              they are
    expected  (P,) pass rates that the resting ones would have: they count in accuracy/pool
    """

    reasons: Sequence[tuple[Reason, np.ndarray]]
    resting: np.ndarray
    expected: np.ndarray


class Strategy:
    """This one keeps every prompt and trains on every group; others override what they change."""

    Settings: type[Section] = Section
    """What the recipe may set, of a class of one's own."""

    def __init__(self, config: Any):
        self.config = config

    @property
    def rounds(self) -> int:
        """How often one step may go on sampling until `select` leaves enough groups."""
        return 1

    def select(self, groups: Sequence[Group]) -> list[Group]:
        """The groups to train on; the others are paid for and thrown away."""
        return list(groups)

    def decide(self, epoch: Epoch) -> Decision:
        """Called once an epoch, before the next. Only accuracy counts: a reward's other terms
        are not in the ledger."""
        every = np.ones(len(epoch.view("problem")), dtype=bool)
        nobody = np.zeros(len(epoch.stage))
        return Decision([(KEEP_ALL, every)], nobody.astype(bool), nobody)

    def state_dict(self) -> dict[str, Any]:
        """What JSON can hold, of a strategy that remembers more than the ledger does."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""


def share_of(prompts: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """So large a share, drawn at random, of the prompts where a (P,) bool mask holds."""
    among = np.flatnonzero(prompts)
    return rng.choice(among, size=round(share * among.size), replace=False)
