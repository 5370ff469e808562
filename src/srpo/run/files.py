"""What the files of a run are called. Nothing else of the package knows it."""

from __future__ import annotations

from pathlib import Path

STATE = "state.json"  # of a checkpoint: what it holds beside tensors and arrays


class RunFiles:
    """The places in a run's folder; not all of them are there at all times."""

    def __init__(self, path: Path):
        self.path = path
        self.recipe = path / "recipe.yaml"
        self.domains = path / "domains.json"  # how each is drawn
        self.began = path / "began.json"  # where and when
        self.metrics = path / "metrics.jsonl"
        self.evals = path / "evals.jsonl"
        self.ledger = path / "ledger.parquet"
        self.rollouts = path / "rollouts"
        self.checkpoints = path / "checkpoints"
        self.summary = path / "summary.json"  # comes last: the run is finished
        self.model = path / "model"
        self.failure = path / ".failure"  # the last one
        self.lock = path / ".lock"
        self.wandb_id = path / "wandb-id"  # and project, at Weights & Biases
        self.engine_weights = path / "engine-weights"  # while it trains
        self.page = path / "report.html"
        self.picture = path / "curves.png"

    @property
    def missing(self) -> str | None:
        """What the folder lacks to be a run. A recipe alone may be its user's."""
        return next((f.name for f in (self.recipe, self.metrics) if not f.is_file()), None)

    def rollouts_of(self, step: int) -> Path:
        """The file of one step's rollouts."""
        return self.rollouts / f"step-{step:06d}.jsonl"

    def rollout_files(self) -> dict[int, Path]:
        """The files of rollouts that are there, by step, in order."""
        found = {}
        for file in self.rollouts.glob("step-*.jsonl"):
            number = file.stem.removeprefix("step-")
            if number.isdecimal():
                found[int(number)] = file
        return dict(sorted(found.items()))

    def failed_step(self, step: int) -> Path:
        """The batch of a step that could not be learnt from."""
        return self.path / f"failed-step-{step:06d}.pt"

    def checkpoint_states(self) -> list[Path]:
        """The plain part of each checkpoint, the newest first."""
        return sorted(self.checkpoints.glob(f"step-*/{STATE}"), reverse=True)
