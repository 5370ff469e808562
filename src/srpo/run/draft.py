"""A first recipe for data of one's own: columns are recognised, the rest is said in comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from srpo.data.rows import file_rows, value_at
from srpo.data.sources import load_problems
from srpo.domains import find_domain
from srpo.recipe.schema import Source
from srpo.types import UserError, short

LOOKED_AT = 100  # rows
_LISTS = {
    "id": "id task_id problem_id question_id uid uuid index extra_info.index",
    "prompt": "prompt question problem messages text query instruction input",
    "tests": "tests test_list test_cases test",
    "answer": "answer final_answer gold ground_truth reward_model.ground_truth expected_answer"
    " target label solution",
    "reference": "reference canonical_solution code solution completion",
}
NAMES = {role: names.split() for role, names in _LISTS.items()}
HELD_OUT = re.compile(r"(?:^|[^a-z])(?:test|eval|valid|validation|val|dev|held-?out)(?:[^a-z]|$)")
PATTERNS = {"####": r"#### (.+)", "\\boxed{": r"\\boxed\{(.*)\}"}


@dataclass(frozen=True)
class Found:
    """A file as a recipe names it."""

    source: Source
    rows: int
    held_out: bool


def read_file(path: Path, chosen: dict[str, str | None]) -> Found:
    """What a file's columns are for; `chosen` has those that the user has named, by their role.
    Raises UserError that lists the columns, with a guess."""
    rows = _first_rows(path)
    columns = _columns(rows)
    for name in filter(None, chosen.values()):
        if name not in columns:
            raise UserError(f"{path}: has no column {name!r}; columns seen: {', '.join(columns)}")
    roles = {role: chosen.get(role) or _named(columns, role) for role in NAMES}
    if roles["prompt"] is None:
        raise _unknown(path, "prompt", "the question", rows, columns)
    code = bool(chosen.get("tests")) or (not chosen.get("answer") and _is_code(rows, roles))
    if not code and roles["answer"] is None:
        raise _unknown(path, "answer", "the gold answer (or tests)", rows, columns)
    tree = {"path": str(path), "domain": "code" if code else "math", **_fields(rows, roles, code)}
    source = Source.model_validate(tree)
    count = len(load_problems([source], "data.train", 0))
    return Found(source, count, bool(HELD_OUT.search(path.stem.lower())))


def _first_rows(path: Path) -> list[dict[str, Any]]:
    first = next(file_rows(path, [], str(path)), None)
    if first is None:
        raise UserError(f"{path}: has no rows; give a file with at least one")
    return list(islice(file_rows(path, list(first), str(path)), LOOKED_AT))


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    """By name, those within others with a dot."""
    found: dict[str, None] = {}
    for row in rows:
        for name, value in row.items():
            inner = value if isinstance(value, dict) and value.get("type") is None else {}
            found |= dict.fromkeys([name, *(f"{name}.{key}" for key in inner)])
    return list(found)


def _named(columns: list[str], role: str) -> str | None:
    lower = {column.lower(): column for column in columns}
    return next((lower[name] for name in NAMES[role] if name in lower), None)


def _is_code(rows: list[dict[str, Any]], roles: dict[str, str | None]) -> bool:
    """Whether the column for tests has some."""
    if roles["tests"] is None:
        return False
    try:
        find_domain("code").parse(value_at(rows[0], roles["tests"]), "tests")
    except UserError:
        return roles["answer"] is None  # then loading says what is wrong with them
    return True


def _fields(rows: list[dict[str, Any]], roles: dict[str, str | None], code: bool) -> dict[str, str]:
    wanted = ("id", "prompt", "tests", "reference") if code else ("id", "prompt", "answer")
    given = {f"{role}_field": column for role in wanted if (column := roles[role])}
    fields = {name: c for name, c in given.items() if c != name.removesuffix("_field")}
    if not code and roles["answer"]:
        golds = [value_at(row, roles["answer"]) for row in rows]
        for mark, pattern in PATTERNS.items():
            if all(isinstance(g, str) and mark in g for g in golds):
                return fields | {"answer_pattern": pattern}
    return fields


def _unknown(
    path: Path, role: str, what: str, rows: list[dict[str, Any]], columns: list[str]
) -> UserError:
    sizes = {c: len(str(value_at(rows[0], c))) for c in columns}
    ranked = sorted(sizes, key=lambda c: sizes[c])
    guess = ranked[-1] if role == "prompt" else ranked[0]
    return UserError(
        f"{path}: no column is known to hold {what}; columns seen: {', '.join(columns)}; say which,"
        f" for example --{role} {guess} ({short(value_at(rows[0], guess), 40)})"
    )


def draft(files: list[Found], model: str, name: str) -> str:
    """The recipe's text. Raises UserError where nothing would be trained on."""
    train = [f for f in files if not f.held_out] or files[:1]
    held_out = [f for f in files if f not in train]
    domains = {f.source.domain for f in train}
    kind = "staged" if domains == {"math", "code"} else f"{domains.pop()}-only"
    small = model == "nano"
    steps = 60 if small else 200
    lines = [
        "# A first recipe; look at it with `srpo check`. Every field: src/srpo/recipe/schema.py.",
        f"model: {_text(model)}",
        f"output_dir: {_text(f'runs/{name}')}",
        f"max_steps: {steps}  # optimizer steps in all",
        "",
        "data:",
        "  train:",
        *_sources(train),
        *_held_out(held_out),
        "  # the text around each question; {prompt} marks its place",
        f"  template: {_text(_template(small, kind))}",
        "",
        "rollout:",
        f"  group_size: {16 if small else 8}  # responses to each prompt, compared with each other",
        f"  max_new_tokens: {112 if small else 1024}  # a longer response is cut, and mostly wrong",
        f"  max_rows: {512 if small else 64}  # decoded side by side: memory grows with it",
        "",
        "sampler:",
        f"  prompts_per_step: {_prompts(train, 32 if small else 16)}",
        "  strategy: history  # SRPO's: solved prompts leave; none is GRPO",
        "",
        f"curriculum: {kind}",
        "",
        "learner:",
        f"  lr: {'2.0e-4' if small else '1.0e-6'}",
        f"  micro_batch_tokens: {16384 if small else 4096}  # lower it where memory is short",
        "",
        "eval:",
        "  samples: 4  # responses to each held-out problem",
        "  at: [base, final]",
    ]
    return "\n".join(lines) + "\n"


def _prompts(train: list[Found], most: int) -> int:
    """Several steps to an epoch, also of little data."""
    return max(1, min(most, sum(f.rows for f in train) // 4))


def _sources(files: list[Found]) -> list[str]:
    lines = []
    for found in files:
        fields = found.source.model_dump(exclude_defaults=True)
        first, *others = [f"{key}: {_text(value)}" for key, value in fields.items()]
        lines += [f"    - {first}  # {found.rows} problems", *(f"      {o}" for o in others)]
    return lines


def _held_out(files: list[Found]) -> list[str]:
    if files:
        return ["  eval:", *_sources(files)]
    return ["  # eval: problems that are not trained on; without them nobody knows what was learnt"]


def _template(small: bool, kind: str) -> str:
    if small:
        return "{prompt}\n"
    box = "put the final answer within \\boxed{}"
    block = "give the program in one ```python block at the end"
    asked = {"math-only": box, "code-only": block}.get(kind, f"{box}; for a program, {block}")
    return f"{{prompt}}\n\nReason step by step; {asked}.\n"


def _text(value: object) -> str:
    """A value as YAML has it: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)
