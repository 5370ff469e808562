"""Responses to analyse: a run's rollouts, an evaluation's, or any file of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srpo.data.rows import read_rows
from srpo.errors import RowFault
from srpo.run.files import RunFiles
from srpo.types import UserError, short

# What a column may be called; the first that a row has counts.
NAMES = {
    "text": ("response", "text", "completion", "output"),
    "tokens": ("tokens",),
    "outcome": ("outcome",),
    "step": ("step",),
    "domain": ("domain",),
    "problem": ("problem_id", "id", "prompt", "question"),
}


@dataclass(frozen=True, slots=True)
class Response:
    """A response, with what is known of it. `counted` says whether `length` is in tokens that the
    source gave, and not in words."""

    text: str
    length: int
    counted: bool
    outcome: str | None = None
    step: int | None = None
    domain: str | None = None
    problem: str | None = None


def read_responses(path: Path) -> Iterator[Response]:
    """All of a run's folder, of an evaluation's, or of a file with a column `response`. Raises
    UserError, for a row that it names too."""
    if path.is_dir() and (path / "rollouts").is_dir():
        yield from _of_run(path)
        return
    if path.is_dir() and not (path / "responses").is_dir():
        raise UserError(
            f"{str(path)!r} is no run with rollouts and no evaluation with responses; give one, or"
            " a .jsonl or .parquet file with a column response"
        )
    source = path / "responses" if path.is_dir() else path
    for number, row in read_rows(source):
        if isinstance(row, RowFault):
            raise row
        yield _of_row(row, f"{source} row {number}")


def _of_run(path: Path) -> Iterator[Response]:
    files = RunFiles(path).rollout_files()
    if not files:
        raise UserError(
            f"{str(path)!r} has no rollouts: no step is done yet, or the run had log.rollouts"
            " false; train with log.rollouts true"
        )
    for file in files.values():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield from _of_group(line)


def _of_group(line: str) -> Iterator[Response]:
    try:
        group = json.loads(line)
    except ValueError:  # the last line, cut short by a kill
        return
    for r in group["rollouts"]:
        tokens = r["tokens"] if isinstance(r["tokens"], int) else len(r["tokens"])
        place = (group["step"], group["domain"], str(group["problem_id"]))
        yield Response(str(r["text"]), tokens, True, r["outcome"], *place)


def _of_row(row: Any, where: str) -> Response:
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    found = {key: next((row[n] for n in names if n in row), None) for key, names in NAMES.items()}
    text = found["text"]
    if not isinstance(text, str):
        columns = short(sorted(map(str, row)), 200)
        raise UserError(
            f"{where}: response is {short(text)}; give the model's text in a column response (the"
            f" row has {columns})"
        )
    tokens, step = found["tokens"], found["step"]
    length = tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
    return Response(
        text,
        len(text.split()) if length is None else length,
        length is not None,
        None if found["outcome"] is None else str(found["outcome"]),
        step if isinstance(step, int) else None,
        None if found["domain"] is None else str(found["domain"]),
        None if found["problem"] is None else str(found["problem"]),
    )
