"""The recipes that are shipped in the package, and how a recipe is found by path or by name."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from srpo.types import UserError


def shipped() -> dict[str, Traversable]:
    """The shipped recipes by name, in alphabetical order."""
    files = resources.files("srpo.recipe").joinpath("shipped").iterdir()
    found = {f.name.removesuffix(".yaml"): f for f in files if f.name.endswith(".yaml")}
    return dict(sorted(found.items()))


def find(recipe: str | Path) -> Path | Traversable:
    """The file at a path, or else the shipped recipe of that name. Raises UserError."""
    file = Path(recipe)
    if file.is_file():
        return file
    recipes = shipped()
    if (name := str(recipe)) in recipes:
        return recipes[name]
    raise UserError(
        f"recipe: no file {name!r}, and no shipped recipe of that name; give the path of a .yaml"
        f" recipe, or one of {', '.join(recipes)}"
    )


def summary(recipe: Traversable) -> str:
    """What a recipe is for: its first line, a comment."""
    return recipe.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#").strip()
