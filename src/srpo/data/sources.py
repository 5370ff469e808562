"""Problems from generators and from JSONL or Parquet files, checked row by row."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.domains import find_domain
from srpo.domains.math import answer_text
from srpo.nano.problems import nano_problems
from srpo.recipe.own import load_own
from srpo.recipe.schema import OWN, Source
from srpo.types import Problem, UserError, short
from srpo.verifiers.domain import Domain
from srpo.verifiers.json_values import json_error, text_fault

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
        domain = find_domain(source.domain, f"{field}[{i}].domain")
        found = list(_load(source, domain, where, seed))
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


def _load(source: Source, domain: Domain, where: str, seed: int) -> Iterator[Problem]:
    if source.path.startswith("nano:"):
        kind = source.path.removeprefix("nano:")
        if kind != source.domain:
            raise UserError(f"{where}: domain is {source.domain!r}; use nano:{source.domain}")
        limit = source.limit or NANO_DEFAULT
        yield from nano_problems(
            source.domain, source.split, limit, seed, source.families, source.levels
        )
        return
    rows = islice(_rows(source, where, seed), source.limit)
    for number, row in enumerate(rows, 1):
        yield _problem(source, domain, row, number, f"{where} row {number}")


def _rows(source: Source, where: str, seed: int) -> Iterator[dict[str, Any]]:
    path = Path(source.path)
    if OWN.fullmatch(source.path) and not path.exists():
        return _own_rows(source, where, seed)
    wanted = [source.id_field, source.prompt_field, source.answer_field, source.tests_field]
    wanted.append(source.reference_field)
    return _file_rows(path, wanted, where)


def _own_rows(source: Source, where: str, seed: int) -> Iterator[dict[str, Any]]:
    """What a function of the user's own makes: `(split, seed) -> rows`."""
    make = load_own(source.path, where)
    try:
        yield from make(source.split, seed)
    except Exception as error:  # whatever code of the user's own may raise
        raise UserError(f"{where}: failed: {type(error).__name__}: {error}") from error


def _file_rows(path: Path, wanted: list[str], where: str) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise UserError(f"{where}: no such file; give a .jsonl or .parquet file, or nano:math")
    if path.suffix == ".parquet":
        yield from _parquet_rows(path, wanted, where)
    elif path.suffix in (".jsonl", ".json"):
        yield from json_rows(path, where)
    else:
        raise UserError(f"{where}: ends in {path.suffix!r}; give a .jsonl or .parquet file")


def _parquet_rows(path: Path, wanted: list[str], where: str) -> Iterator[dict[str, Any]]:
    """Rows with the wanted columns; of the others the names alone, since Python may have no value
    for what they hold (a time in nanoseconds)."""
    done = 0
    for batch in _batches(path, where):
        names = batch.schema.names
        for name in wanted:
            if names.count(name) > 1:
                raise UserError(f"{where}: has {names.count(name)} columns {name!r}; keep one")
        given = [name for name in dict.fromkeys(wanted) if name in names]
        columns = [_values(batch.column(name), name, done, where) for name in given]
        for values in zip(*columns, strict=True):
            yield dict.fromkeys(names) | dict(zip(given, values, strict=True))
        if not given:  # each row is missing all that it needs
            yield from (dict.fromkeys(names) for _ in range(batch.num_rows))
        done += batch.num_rows


def _batches(path: Path, where: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from pq.ParquetFile(path, page_checksum_verification=True).iter_batches()
    except Exception as error:  # pyarrow raises many types here, all mean the same to a user
        raise UserError(
            f"{where}: not a readable Parquet file: {_first_line(error)}; write it anew"
        ) from error


def _values(column: pa.Array, name: str, done: int, where: str) -> list[Any]:
    """A column's values; `done` rows came before them."""
    try:
        return column.to_pylist()
    except Exception:  # text that is not UTF-8, a date before the year 1; which row is it?
        for number, value in enumerate(column, done + 1):
            try:
                value.as_py()
            except Exception as error:
                raise UserError(
                    f"{where} row {number}: column {name!r} has no readable value:"
                    f" {_first_line(error)}; write it anew"
                ) from error
        raise


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def json_rows(path: Path, where: str) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file, empty lines skipped. Raises UserError, with the line's number."""
    with path.open("rb") as file:
        yield from rows_of(file, where)


def rows_of(file: IO[bytes], where: str) -> Iterator[dict[str, Any]]:
    """The rows of an open JSONL file, see `json_rows`."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = json_error(error)
            raise UserError(f"{where} line {number}: not valid JSON: {why}") from error
        if not isinstance(row, dict):
            raise UserError(f"{where} line {number}: must be an object, got {line[:40]!r}")
        yield row


def _problem(
    source: Source, domain: Domain, row: dict[str, Any], number: int, where: str
) -> Problem:
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    prompt = row.get(source.prompt_field)
    if not isinstance(prompt, str) or not prompt.strip():
        raise UserError(
            f"{where}: prompt_field {source.prompt_field!r} must be a text, got {short(prompt)};"
            f" the row has {_columns(row)}"
        )
    id_ = _id(source, row, number, where)
    for name, text in ((source.id_field, id_), (source.prompt_field, prompt)):
        if why := text_fault(text):
            raise UserError(f"{where}: {name!r} {why}")
    reference = row.get(source.reference_field) if domain.gold == "tests" else None
    meta = {"reference": reference} if isinstance(reference, str) and reference.strip() else {}
    gold = {domain.gold: _gold(source, domain, row, where)}
    return Problem(id_, domain.name, prompt, **gold, meta=meta)


def _id(source: Source, row: dict[str, Any], number: int, where: str) -> str:
    """Rows without ids get their file's name and number; files of one name in two folders clash."""
    identity = row.get(source.id_field)
    if identity is None:
        return f"{Path(source.path).stem}-{number}"
    if isinstance(identity, list | tuple | dict):
        raise UserError(
            f"{where}: id_field {source.id_field!r} must be a text or a number, got"
            f" {short(identity)}; the row has {_columns(row)}"
        )
    return str(identity)


def _columns(row: dict[str, Any]) -> str:
    return short(sorted(row), 300)


def _gold(source: Source, domain: Domain, row: dict[str, Any], where: str) -> Any:
    """What answers are checked against, from the domain's column."""
    field = f"{domain.gold}_field"
    column = getattr(source, field)
    if row.get(column) is None:
        raise UserError(
            f"{where}: {field} {column!r} names no value of the row, which has {_columns(row)}"
        )
    value, where = row[column], f"{where}: {field} {column!r}"
    if source.answer_pattern is None or domain.gold == "tests":
        return domain.parse(value, where)
    texts = [t if (t := answer_text(v)) is not None else v for v in _several(value)]
    return domain.parse([_match(source, t, where) for t in texts], where)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) and value else [value]


def _match(source: Source, text: Any, where: str) -> Any:
    """The answer within a text; what is no text stays, for the domain to refuse."""
    if not isinstance(text, str):
        return text
    try:
        found = re.search(source.answer_pattern or "", text)
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
