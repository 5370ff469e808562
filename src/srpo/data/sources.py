"""Problems from nano's generators and from JSONL or Parquet files, checked row by row."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.nano.problems import nano_problems
from srpo.recipe.schema import Source
from srpo.types import Domain, Problem, UserError
from srpo.verifiers.code.tests import validate_tests

NANO_DEFAULT = 512


def load_problems(sources: list[Source], field: str, seed: int) -> list[Problem]:
    """All problems of `sources`, in order. Raises UserError for a bad row or duplicate id.

    Args:
        field: the recipe's field that lists the sources, for error messages.
        seed: of the generated problems.
    """
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for i, source in enumerate(sources):
        where = f"{field}[{i}]: {source.path}"
        found = list(_load(source, where, seed))
        if not found:
            raise UserError(f"{where}: holds no problems; give a file with at least one row")
        for problem in found:
            if problem.id in seen:
                raise UserError(
                    f"{where}: duplicate id {problem.id!r}, first seen in {seen[problem.id]};"
                    " ids must be unique over all sources"
                )
            seen[problem.id] = where
        problems += found
    return problems


def fingerprint(problems: list[Problem]) -> str:
    """Changes when a problem, its place or its answer does: the ledger counts on their order."""
    digest = hashlib.sha256()
    for p in problems:
        digest.update(repr((p.id, p.domain, p.prompt, p.answer, p.tests)).encode())
    return digest.hexdigest()


def _load(source: Source, where: str, seed: int) -> Iterator[Problem]:
    if source.path.startswith("nano:"):
        kind = source.path.removeprefix("nano:")
        if kind != source.domain:
            raise UserError(f"{where}: domain is {source.domain!r}; use nano:{source.domain}")
        limit = source.limit or NANO_DEFAULT
        yield from nano_problems(
            source.domain, source.split, limit, seed, source.families, source.levels
        )
        return
    rows = islice(_rows(Path(source.path), where), source.limit)
    for number, row in enumerate(rows, 1):
        yield _problem(source, row, number, f"{where} row {number}")


def _rows(path: Path, where: str) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise UserError(f"{where}: no such file; give a .jsonl or .parquet file, or nano:math")
    if path.suffix == ".parquet":
        try:
            for batch in pq.ParquetFile(path).iter_batches():
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{where}: not a readable Parquet file: {error}") from error
    elif path.suffix in (".jsonl", ".json"):
        yield from json_rows(path, where)
    else:
        raise UserError(f"{where}: ends in {path.suffix!r}; give a .jsonl or .parquet file")


def json_rows(path: Path, where: str) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UserError(f"{where} line {number}: not valid JSON: {error}") from error
            if not isinstance(row, dict):
                raise UserError(f"{where} line {number}: must be an object, got {line[:40]!r}")
            yield row


def _problem(source: Source, row: dict[str, Any], number: int, where: str) -> Problem:
    prompt = row.get(source.prompt_field)
    if not isinstance(prompt, str) or not prompt.strip():
        raise UserError(
            f"{where}: prompt_field {source.prompt_field!r} must be a text, got {prompt!r};"
            f" the row has {sorted(row)}"
        )
    identity = row.get(source.id_field)
    # Rows without ids get their file's name and number; files of one name in two folders clash.
    id_ = str(identity) if identity is not None else f"{Path(source.path).stem}-{number}"
    if source.domain is Domain.MATH:
        return Problem(id_, source.domain, prompt, answer=_answer(source, row, where))
    return Problem(id_, source.domain, prompt, tests=_tests(source, row, where))


def _answer(source: Source, row: dict[str, Any], where: str) -> str | tuple[str, ...]:
    value = row.get(source.answer_field)
    several = value if value and isinstance(value, list) else [value]
    answers = []
    for one in several:
        if isinstance(one, int | float) and not isinstance(one, bool):
            one = str(one)
        if not isinstance(one, str) or not one.strip():
            raise UserError(
                f"{where}: answer_field {source.answer_field!r} must be a text, a number or a list"
                f" of them, got {value!r}; the row has {sorted(row)}"
            )
        answers.append(_match(source, one, where).strip())
    return answers[0] if len(answers) == 1 else tuple(answers)


def _match(source: Source, text: str, where: str) -> str:
    if source.answer_pattern is None:
        return text
    try:
        found = re.search(source.answer_pattern, text)
    except re.error as error:
        raise UserError(
            f"{where}: answer_pattern {source.answer_pattern!r} is no regular expression: {error}"
        ) from error
    answer = found.group(1) if found and found.groups() else None
    if not answer or not answer.strip():
        raise UserError(
            f"{where}: answer_pattern {source.answer_pattern!r} finds no group in {text[-60:]!r}"
        )
    return answer


def _tests(source: Source, row: dict[str, Any], where: str) -> dict[str, Any]:
    value = row.get(source.tests_field)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise UserError(f"{where}: tests_field {source.tests_field!r}: not JSON") from error
    if not isinstance(value, dict):
        raise UserError(
            f"{where}: tests_field {source.tests_field!r} must be a mapping, got {value!r};"
            f" the row has {sorted(row)}"
        )
    validate_tests(value, where)
    return value
