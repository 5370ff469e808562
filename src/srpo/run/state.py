"""What a run has done so far, and everything that has state on disk and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from srpo.learner.batch import TrainBatch
from srpo.run.checkpoint import newest_whole, save_checkpoint
from srpo.run.clock import Clock
from srpo.run.files import STATE
from srpo.run.parts import Parts
from srpo.types import Group, UserError

LEARNER, LEDGER = "learner", "ledger.npz"  # of a checkpoint


@dataclass
class RunState:
    """Counters of a run.

    step        optimizer steps, with the one that runs
    generated   tokens, thrown-away rounds and errors included
    trained     tokens of groups that gave gradient
    seconds     of training
    stages      entered so far: name, entered_at_step, reason
    changes     of the recipe, when the run was resumed: after_step, field, before, now
    """

    step: int = 0
    generated: int = 0
    trained: int = 0
    seconds: float = 0.0
    stages: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def point(self) -> str:
        """What an evaluation now is called."""
        return f"step {self.step}" if self.step else "base"

    def count(self, groups: Sequence[Group], batch: TrainBatch, clock: Clock) -> None:
        """A step is over."""
        self.generated += sum(g.tokens for g in groups)
        self.trained += batch.trained_tokens
        self.seconds += clock.stop()


def save(parts: Parts, state: RunState) -> None:
    """Write ledger and checkpoint. Raises OSError."""
    parts.ledger.write(parts.folder.ledger)

    def write(folder: Path) -> dict[str, str]:
        (folder / LEARNER).mkdir()
        digests = parts.learner.save(folder / LEARNER)
        np.savez(folder / LEDGER, **parts.ledger.state_dict())  # pyright: ignore[reportArgumentType]
        parts.ahead.save(folder)
        plain = {
            "run": asdict(state),
            "evals": parts.evaluator.results,
            "metrics": parts.metrics.state_dict(),
            "curriculum": parts.curriculum.state_dict(),
            "sampler": parts.sampler.state_dict(),
            "problems": parts.fingerprint,
            "prompts": parts.prompts,
            "recipe": parts.recipe.model_dump(mode="json"),
        }
        (folder / STATE).write_text(json.dumps(plain))
        return {f"{LEARNER}/{name}": digest for name, digest in digests.items()}

    save_checkpoint(parts.folder.checkpoints, state.step, write, parts.recipe.checkpoint.keep)


def load(parts: Parts) -> RunState:
    """From the newest whole checkpoint; what was written after it is cut off. Raises UserError."""
    folder = newest_whole(parts.folder.checkpoints, parts.observer.message)
    state = RunState() if folder is None else _load(parts, folder)
    parts.folder.cut_back(state.step, parts.metrics.rows, parts.evaluator.results)
    return state


def _load(parts: Parts, folder: Path) -> RunState:
    plain = json.loads((folder / STATE).read_text())
    if plain["problems"] != parts.fingerprint:
        raise UserError(
            f"data.train: the problems are not those that {parts.folder.path} was trained on;"
            " put the data files back as they were, or start a new run"
        )
    if plain.get("prompts", parts.prompts) != parts.prompts:
        raise UserError(
            f"model: its tokenizer or chat template does not make the prompts that"
            f" {parts.folder.path} was trained on; put the tokenizer's files back as they were, or"
            " start a new run"
        )
    state = RunState(**plain["run"])
    parts.evaluator.results = plain["evals"]
    parts.metrics.load_state_dict(plain["metrics"])
    parts.curriculum.load_state_dict(plain["curriculum"])
    parts.sampler.load_state_dict(plain["sampler"])
    with np.load(folder / LEDGER, allow_pickle=False) as columns:
        parts.ledger.load_state_dict(dict(columns))
    parts.ahead.load(folder, parts.sampler.problems, parts.prompter.ids)
    parts.learner.load(folder / LEARNER)
    parts.engine.load_weights(parts.learner.publish(state.step))
    return state
