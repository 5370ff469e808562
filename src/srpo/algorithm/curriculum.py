"""The stages (SRPO, "Two-Stage Training"): mathematics elicits long reasoning, then code joins it.

Staged, mixed, math-only and code-only training are one loop with four lists of stages; a recipe
may give its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from srpo.recipe.schema import CurriculumConfig, PlateauConfig, StagedConfig, StagesConfig
from srpo.types import POOL_EXHAUSTED


@dataclass(frozen=True)
class Stage:
    """What is trained on, and what ends it: the plateau rule, a step cap, or the run's end."""

    name: str
    domains: frozenset[str]
    plateau: PlateauConfig | None = None
    max_steps: int | None = None


def stages_of(config: CurriculumConfig, domains: Iterable[str]) -> tuple[Stage, ...]:
    """The stages of a curriculum, over the domains that there are problems of; the last one ends
    with the run."""
    every, math, code = frozenset(domains), frozenset({"math"}), frozenset({"code"})
    if isinstance(config, StagesConfig):
        return tuple(
            Stage(s.name, frozenset(s.domains), s.plateau, s.max_steps) for s in config.stages
        )
    if isinstance(config, StagedConfig):
        first = Stage("stage1", math, config.plateau, config.stage1_max_steps)
        return (first, Stage("stage2", every))
    return (Stage("train", {"mixed": every, "math-only": math, "code-only": code}[config.kind]),)


class Plateau:
    """Accuracy has stopped growing: its moving average made no new best for a while."""

    def __init__(self, config: PlateauConfig):
        self.config = config
        self.recent: deque[float] = deque(maxlen=config.window)
        self.best = float("-inf")
        self.since_best = 0

    def observe(self, accuracy: float) -> None:
        """Take one step's accuracy in; nothing is judged before the window is full."""
        self.recent.append(accuracy)
        if len(self.recent) < self.config.window:
            return
        average = sum(self.recent) / len(self.recent)
        if average > self.best + self.config.min_delta:
            self.best, self.since_best = average, 0
        else:
            self.since_best += 1

    @property
    def reached(self) -> bool:
        """Whether `patience` steps in a row brought no new best."""
        return self.since_best >= self.config.patience


class Curriculum:
    """Where the run stands in its stages: `observe` each step, ask `finished`, `advance`."""

    def __init__(self, stages: tuple[Stage, ...]):
        self.stages = stages
        self.at = 0
        self._reset()

    def _reset(self) -> None:
        self.steps = 0
        self.plateau = Plateau(self.stage.plateau) if self.stage.plateau else None

    @property
    def stage(self) -> Stage:
        """The stage that the run is in."""
        return self.stages[self.at]

    @property
    def is_last(self) -> bool:
        """Whether that is the last one, which ends with the run."""
        return self.at == len(self.stages) - 1

    def observe(self, accuracy: float | None) -> None:
        """Count a step and the pool's accuracy in it (None: no verdict in the whole step)."""
        self.steps += 1
        if self.plateau and accuracy is not None:
            self.plateau.observe(accuracy)

    def finished(self, pool_size: int) -> str | None:
        """Why the stage is over, or None. An empty pool has nothing left to teach."""
        if pool_size == 0:
            return POOL_EXHAUSTED
        if self.plateau and self.plateau.reached:
            return "plateau: accuracy stopped growing"
        if self.stage.max_steps is not None and self.steps >= self.stage.max_steps:
            return f"step cap: {self.stage.max_steps} steps"
        return None

    def advance(self) -> Stage:
        """Enter the next stage, with a plateau and a count of steps of its own."""
        self.at += 1
        self._reset()
        return self.stage

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        plateau = self.plateau and {
            "recent": list(self.plateau.recent),
            "best": self.plateau.best,
            "since_best": self.plateau.since_best,
        }
        return {"at": self.at, "steps": self.steps, "plateau": plateau}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.at = state["at"]
        self._reset()
        self.steps = state["steps"]
        if self.plateau:
            saved = state["plateau"]
            self.plateau.recent.extend(saved["recent"])
            self.plateau.best = saved["best"]
            self.plateau.since_best = saved["since_best"]
