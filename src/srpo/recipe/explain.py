"""Words for what is wrong with a recipe: the field, the value, and the fix, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from srpo.types import short


def explain(error: Any, root: type[BaseModel]) -> str:
    """One pydantic error as `field: what is wrong, got value, and the fix`."""
    path, sections, kinds = place(root, error["loc"])
    field = ".".join(path) or "recipe"
    if error["type"] == "extra_forbidden":
        elsewhere = _elsewhere(root, path[0]) if len(path) == 1 else ""
        return f"unknown key {field!r}{elsewhere or _whose(path[-1], sections[0], kinds)}"
    if error["type"] == "missing":
        return f"{field}: required, but missing; add it to the recipe"
    if error["type"] == "value_error":
        return f"{error['msg'].removeprefix('Value error, ')}"
    if error["type"] == "union_tag_invalid":
        kind = error["ctx"]["tag"]
        return f"{field}.kind: {kind!r} is unknown{_nearest(kind, _kinds(sections), 'kinds')}"
    got = short(error["input"], 200)
    if error["type"] == "string_pattern_mismatch":
        return f"{field.removesuffix('.[key]')}: give package.module:name, got {got}"
    if len(sections) > 1:
        return f"{field}: must be one of {', '.join(_kinds(sections))}, got {got}"
    return f"{field}: {error['msg'][0].lower()}{error['msg'][1:]}, got {got}"


def _elsewhere(root: type[BaseModel], key: str) -> str:
    """The key that is meant by one without its section."""
    found = [
        f"{name}.{key}"
        for name, field in root.model_fields.items()
        for section in _sections_of(field.annotation)
        if key in section.model_fields
    ]
    return f"; did you mean {' or '.join(map(repr, dict.fromkeys(found)))}?" if found else ""


def is_text(root: type[BaseModel], at: Sequence[str]) -> bool:
    """Whether the field at a place of a recipe holds a text and nothing else."""
    sections = place(root, at)[1]
    field = sections[0].model_fields.get(at[-1]) if len(sections) == 1 else None
    return field is not None and field.annotation in (str, str | None)


def _whose(key: str, section: type[BaseModel], kinds: list[type[BaseModel]]) -> str:
    """What may be meant by a key that a section, one of `kinds`, does not have."""
    owners = [_kind(k) for k in kinds if key in k.model_fields]
    if owners:
        return f" of kind {_kind(section)!r}; it belongs to kind {' or '.join(owners)}"
    return _nearest(key, list(section.model_fields), "keys")


def _nearest(name: str, known: list[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known {what}: {', '.join(known)}"


def place(
    root: type[BaseModel], at: Sequence[str | int]
) -> tuple[list[str], list[type[BaseModel]], list[type[BaseModel]]]:
    """What stands at a place of a recipe.

    Returns:
        The place as people write it: between a union and its field, pydantic names the kind.
        The section there, or the one that the last part should be a field of; several for a union.
        Where that one was chosen from a union, all of it.
    """
    path: list[str] = []
    sections, kinds = [root], []
    for part in at:
        if len(sections) > 1:
            sections, kinds = [s for s in sections if _kind(s) == part], sections
            continue
        path.append(str(part))
        field = sections[0].model_fields.get(str(part)) if sections else None
        if field and (found := _sections_of(field.annotation)):
            sections, kinds = found, []
    return path, sections, kinds


def _kinds(sections: list[type[BaseModel]]) -> list[str]:
    return ["package.module:name" if (k := _kind(s)) == "own" else k for s in sections]


def _kind(section: type[BaseModel]) -> str:
    kind = section.model_fields["kind"]
    return "own" if kind.is_required() else kind.default


def _sections_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for argument in get_args(annotation) for s in _sections_of(argument)]
