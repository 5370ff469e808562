"""What of a run's recipe may be changed before it is resumed, and what may not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run.checkpoint import checkpoints
from srpo.run.files import STATE
from srpo.run.folder import RunFolder
from srpo.types import UserError, short

# How long a run trains and what is told of it; and where and with how much memory it is computed,
# which changes no more than rounding. A section stands for all that is in it.
MAY_CHANGE = (
    "max_steps",
    "max_tokens",
    "output_dir",
    "data.eval",
    "eval",
    "checkpoint",
    "log",
    "rollout.placement",
    "rollout.server_url",
    "rollout.max_rows",
    "rollout.gpu_memory_utilization",
    "rollout.freshness_tolerance",
    "verifier.sandbox",
    "verifier.sandbox_url",
    "verifier.workers",
    "verifier.max_error_share",
    "learner.micro_batch_tokens",
    "learner.device",
    "learner.ranks",
    "learner.deadline_s",
    "learner.gradient_checkpointing",
    "learner.logit_chunk",
)


class Change(NamedTuple):
    """A field of the recipe that is not what it was."""

    field: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.field} is {short(self.now)}, was {short(self.before)}"


def check_changes(folder: RunFolder, recipe: Recipe) -> list[Change]:
    """What is changed since the run's last checkpoint. Raises UserError for what makes it another
    run, by name."""
    before = _recipe_of(folder)
    found = list(_changes(before, recipe.model_dump(mode="json"))) if before else []
    if refused := [change for change in found if not _may(change.field)]:
        raise UserError(
            f"recipe {folder.recipe}: these are not those of the run: "
            f"{'; '.join(map(str, refused))}. Put back what was, or start another run from its"
            f" weights: {folder.anew_command} --set {refused[0].field}=..."
        )
    return [change for change in found if change.field != "output_dir"]


def _may(field: str) -> bool:
    return any(field == may or field.startswith(f"{may}.") for may in MAY_CHANGE)


def _changes(before: Any, now: Any, at: Sequence[str] = ()) -> Iterator[Change]:
    """Lists, and sections of another kind, are one value."""
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        for key, value in before.items():
            yield from _changes(value, now[key], (*at, key))
    elif before != now:
        yield Change(".".join(at), before, now)


def _recipe_of(folder: RunFolder) -> dict[str, Any] | None:
    """The recipe that the newest readable checkpoint was made by; None without any that says."""
    for path in reversed(checkpoints(folder.checkpoints)):
        try:
            tree = json.loads((path / STATE).read_text(encoding="utf-8"))["recipe"]
        except (OSError, ValueError, KeyError):  # damaged, which shows when it is loaded; or old
            continue
        return parse_recipe(tree, str(Path(path) / STATE)).model_dump(mode="json")
    return None
