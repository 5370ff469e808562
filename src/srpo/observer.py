"""What the trainer tells whoever watches: a display, a test, a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srpo.recipe.schema import Recipe
from srpo.types import Group


class Observer:
    """Ignores everything; subclass it and override what you want to see.

    The trainer calls these from its own thread and waits for them, so they have to be quick;
    `phase` is called for every group.
    """

    def started(self, recipe: Recipe, run: Path, resumed_at: int) -> None:
        """Training begins; `resumed_at` is the last step already done, 0 for a new run."""

    def phase(self, name: str, done: int, total: int) -> None:
        """`name` is rollout, verify, learn or evaluate; before training, what is loaded, of 0."""

    def step(self, row: dict[str, Any]) -> None:
        """A step is done; `row` has the names of `srpo.metrics.METRICS`."""

    def groups(self, groups: Sequence[Group]) -> None:
        """The step's groups, judged, just before its row; keep none of them."""

    def stage(self, name: str, reason: str) -> None:
        """A stage is entered, and why."""

    def evaluated(self, point: str, results: dict[str, Any]) -> None:
        """An evaluation is done; `results` is its line in evals.jsonl."""

    def message(self, text: str) -> None:
        """Something that a person should know."""

    def closed(self) -> None:
        """Nothing more will come, for whatever reason. May be called more than once."""
