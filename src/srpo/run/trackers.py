"""Where metrics go besides metrics.jsonl: TensorBoard, Weights & Biases, Trackio.

A resumed run goes on in the same place, and what was logged after its last checkpoint is not there
twice.
"""

from __future__ import annotations

import os
import uuid
from importlib.util import find_spec

from srpo.metrics import Row, Tracker
from srpo.recipe.schema import Recipe
from srpo.run.folder import RunFolder
from srpo.types import UserError

PROJECT = "srpo"


def check_trackers(names: list[str]) -> None:
    """Raises UserError with the install command if a tracker's package is missing."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(f"log.trackers: {name!r} is not installed; pip install 'srpo[{name}]'")


def open_trackers(recipe: Recipe, folder: RunFolder, step: int) -> list[Tracker]:
    """Open the recipe's trackers, for a run that has done so many steps (-1: not even the
    evaluation before the first); `check_trackers` comes first."""
    kinds = {"tensorboard": _TensorBoard, "wandb": _Wandb, "trackio": _Trackio}
    return [kinds[name](recipe, folder, step) for name in recipe.log.trackers]


def _numbers(row: Row) -> dict[str, float]:
    return {k: v for k, v in row.items() if isinstance(v, int | float) and k != "step"}


class _TensorBoard:
    def __init__(self, recipe: Recipe, folder: RunFolder, step: int):
        from torch.utils.tensorboard import SummaryWriter

        # What earlier files hold from this step on is not shown.
        self.writer = SummaryWriter(str(folder.path / "tensorboard"), purge_step=step + 1)

    def log(self, row: Row) -> None:
        for name, value in _numbers(row).items():
            self.writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        self.writer.close()


class _Wandb:
    def __init__(self, recipe: Recipe, folder: RunFolder, step: int):
        import wandb  # pyright: ignore[reportMissingImports]

        # W&B keeps the first of two rows of a step, and the resumed run's rows are equal to it.
        id_, project = _wandb_run(folder)
        self.run = wandb.init(
            project=project,
            name=folder.path.name,
            dir=str(folder.path),
            config=recipe.model_dump(mode="json"),
            id=id_,
            resume="allow",
        )

    def log(self, row: Row) -> None:
        self.run.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        self.run.finish()


def _wandb_run(folder: RunFolder) -> list[str]:
    """Id and project of the run at Weights & Biases, made when they are first asked for: it stays
    there when it is resumed, whatever WANDB_PROJECT says by then."""
    project = os.environ.get("WANDB_PROJECT") or PROJECT
    if not folder.wandb_id.exists():
        folder.wandb_id.write_text(f"{uuid.uuid4().hex}\n{project}\n")
    return [*folder.wandb_id.read_text().split("\n"), PROJECT][:2]


class _Trackio:
    def __init__(self, recipe: Recipe, folder: RunFolder, step: int):
        import trackio  # pyright: ignore[reportMissingImports]

        self.trackio = trackio
        trackio.init(
            project=PROJECT,
            name=folder.path.name,
            config=recipe.model_dump(mode="json"),
            resume="allow" if step > 0 else "never",
        )

    def log(self, row: Row) -> None:
        self.trackio.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        self.trackio.finish()
