"""Where metrics go besides metrics.jsonl: TensorBoard, Weights & Biases, Trackio."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from srpo.metrics import Row, Tracker
from srpo.types import UserError


def check_trackers(names: list[str]) -> None:
    """Raises UserError with the install command if a tracker's package is missing."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(f"log.trackers: {name!r} is not installed; pip install 'srpo[{name}]'")


def open_trackers(names: list[str], run: Path, recipe: Row) -> list[Tracker]:
    """Open the trackers by name; `check_trackers` comes first."""
    kinds = {"tensorboard": _TensorBoard, "wandb": _Wandb, "trackio": _Trackio}
    return [kinds[name](run, recipe) for name in names]


def _numbers(row: Row) -> dict[str, float]:
    return {k: v for k, v in row.items() if isinstance(v, int | float) and k != "step"}


class _TensorBoard:
    def __init__(self, run: Path, recipe: Row):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / "tensorboard"))

    def log(self, row: Row) -> None:
        for name, value in _numbers(row).items():
            self.writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        self.writer.close()


class _Wandb:
    def __init__(self, run: Path, recipe: Row):
        import wandb  # pyright: ignore[reportMissingImports]

        self.run = wandb.init(project="srpo", name=run.name, dir=str(run), config=recipe)

    def log(self, row: Row) -> None:
        self.run.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        self.run.finish()


class _Trackio:
    def __init__(self, run: Path, recipe: Row):
        import trackio  # pyright: ignore[reportMissingImports]

        self.trackio = trackio
        trackio.init(project="srpo", name=run.name, config=recipe)

    def log(self, row: Row) -> None:
        self.trackio.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        self.trackio.finish()
