"""The recipes that are shipped in the package, and how a recipe is found by path or by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
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
    meant = _meant(file, name, recipes)
    raise UserError(
        f"recipe: no file {name!r}, and no shipped recipe of that name{meant};"
        f" give the path of a .yaml recipe, or one of {', '.join(recipes)}"
    )


def _meant(file: Path, name: str, names: Iterable[str]) -> str:
    """The recipe beside it, or the shipped one, that is spelt a little otherwise."""
    if name and file.is_dir():
        return f"; it is a folder: is {str(file / 'recipe.yaml')!r} meant?"
    beside = sorted(p for end in ("*.yaml", "*.yml") for p in file.parent.glob(end))
    same = [str(p) for p in beside if p.stem == file.stem or p.stem == file.name]
    close = difflib.get_close_matches(name, [*map(str, beside), *names], n=1, cutoff=0.7)
    return f"; did you mean {(same or close)[0]!r}?" if same or close else ""


def summary(recipe: Traversable) -> str:
    """What a recipe is for: its first line, a comment."""
    return recipe.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#").strip()
