"""What a person may name where a model is asked for: a run, a model's folder, nano or a hub id."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from srpo.models import model_path
from srpo.recipe.load import load_recipe, parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run.anew import weights_of
from srpo.run.folder import RunFolder
from srpo.types import UserError


@dataclass(frozen=True)
class Target:
    """A model, and how it is asked.

    model    its folder or hub id
    recipe   of the run that it is from; for a model alone, one that asks it plainly
    folder   the run's; None for a model alone
    """

    model: str
    recipe: Recipe
    folder: RunFolder | None

    @property
    def began(self) -> datetime | None:
        """When its run did: a chat template may ask for the time."""
        return None if self.folder is None else self.folder.origin.began


def find_target(name: str) -> Target:
    """Raises UserError for what is neither a run nor a model."""
    folder = RunFolder(Path(name))
    if folder.recipe.is_file() and not Path(name, "config.json").is_file():  # a released model
        sys.path.append(str(folder.origin.folder))  # for domains and verifiers of the user's own
        recipe = folder.origin.locate(load_recipe(folder.recipe))
        return Target(str(weights_of(folder)), recipe, folder)
    path = Path(model_path(name))
    if path.is_dir() and not (path / "config.json").is_file():
        raise UserError(
            f"{name!r} is neither a run (it has no recipe.yaml) nor a model (no config.json);"
            " give a run's output_dir, a model's folder, nano or a hub id"
        )
    if not path.exists() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise UserError(f"{name!r}: there is no such folder; give a run's or a model's")
    return Target(name, _plain(name), None)


def _plain(model: str) -> Recipe:
    """What a model without a run is asked with: its chat template, or the question alone."""
    data: dict[str, Any] = {"train": [{"path": "nano:math", "domain": "math"}]}
    data |= {"template": "{prompt}\n"} if model == "nano" else {}
    tree = {"model": model, "max_steps": 1, "data": data, "curriculum": "math-only"}
    return parse_recipe(tree, "of a model alone")
