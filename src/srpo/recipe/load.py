"""Read a recipe: a file or a shipped one, with overrides, and words for what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from srpo.recipe.explain import explain, is_text, place
from srpo.recipe.library import find
from srpo.recipe.schema import Recipe, Section
from srpo.types import UserError, short

S = TypeVar("S", bound=Section)


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a YAML file, or the shipped recipe of that name, and apply `key.sub=value` overrides.
    Raises UserError."""
    tree = read_tree(path)
    for text in overrides or []:
        override(tree, text)
    return parse_recipe(tree, str(path))


def read_tree(path: str | Path) -> dict[str, Any]:
    """The keys of a YAML file, or of the shipped recipe of that name. Raises UserError."""
    try:
        tree = yaml.safe_load(find(path).read_text(encoding="utf-8"))
    except (OSError, UserError):
        raise
    except Exception as error:  # yaml raises many types here: a date of month 13 is a ValueError
        why = " ".join(str(error).split())[:300]
        raise UserError(f"recipe {path}: not valid YAML: {why}") from error
    if not isinstance(tree, dict):
        raise UserError(f"recipe {path}: must be a mapping of keys to values")
    return tree


def parse_section(section: type[S], tree: dict[str, Any], where: str) -> S:
    """A recipe or one section of it. Raises UserError."""
    try:
        return section.model_validate(tree)
    except ValidationError as error:
        raise UserError(
            f"{where}: " + "; ".join(explain(e, section) for e in error.errors())
        ) from error


def parse_recipe(tree: dict[str, Any], where: str) -> Recipe:
    """The recipe in a mapping; `where` names it in errors. Raises UserError."""
    return parse_section(Recipe, tree, f"recipe {where}")


def dump_recipe(recipe: Recipe) -> str:
    """The resolved recipe as YAML: loading it gives the same recipe."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)


def override(tree: dict[str, Any], text: str, root: type[Section] = Recipe) -> None:
    """Apply one `key.sub=value` to the keys of a `root`. Raises UserError."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text!r}: write key=value, for example --set learner.lr=1e-5")
    *parents, last = re.sub(r"\[(\d+)\]", r".\1", key).split(".")  # data.train[0].path, too
    node: Any = tree
    for depth, parent in enumerate(parents, 1):
        if isinstance(node, dict):
            node.setdefault(parent, {})
            if isinstance(node[parent], str) and _is_union(root, parents[:depth]):
                node[parent] = {"kind": node[parent]}
        node = node[_key(node, parent, text)]
    end = _key(node, last, text)
    read = _value(root, value, [*parents, last], text)
    if end == "kind" and node.get("kind") != read and _is_union(root, parents):
        node.clear()  # settings of another kind
    node[end] = read


def _value(root: type[Section], value: str, at: list[str], text: str) -> Any:
    """A field of text takes its text as it stands, or quoted; any other what YAML reads."""
    as_it_stands = is_text(root, at) and value != "null"
    try:
        read = yaml.safe_load(value)
    except Exception as error:  # as above
        if as_it_stands:
            return value
        raise UserError(f"--set {short(text)}: the value is not valid YAML") from error
    quoted = value[:1] in ("'", '"') and isinstance(read, str)
    return value if as_it_stands and not quoted else _number(read)


def _is_union(root: type[Section], at: list[str]) -> bool:
    """Whether sections of several kinds may stand at a place."""
    return len(place(root, at)[1]) > 1


def _key(node: Any, key: str, text: str) -> Any:
    """The key of a mapping, or the index of a list, that one part of a dotted key means."""
    if isinstance(node, dict):
        return key
    if not isinstance(node, list):
        raise UserError(f"--set {text!r}: {key!r} stands below a single value, which has no keys")
    if not key.isdigit() or int(key) >= len(node):
        raise UserError(f"--set {text!r}: {key!r} is no index of a list of {len(node)}, from 0")
    return int(key)


def _number(value: Any) -> Any:
    """YAML reads 1e-5 as text; people mean the number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
