"""Rows of JSONL, JSON and Parquet files, read one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.types import UserError, short
from srpo.verifiers.json_values import json_error


def value_at(row: dict[str, Any], column: str) -> Any:
    """A row's value; `a.b` is a column of that name, or b within a."""
    if column in row:
        return row[column]
    head, _, rest = column.partition(".")
    inner = row.get(head)
    return value_at(inner, rest) if rest and isinstance(inner, dict) else None


def file_rows(path: Path, wanted: list[str], where: str) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise UserError(f"{where}: {what}; give a .jsonl or .parquet file, or nano:math")
    if path.suffix == ".parquet":
        yield from _parquet_rows(path, wanted, where)
    elif path.suffix in (".jsonl", ".json"):
        yield from _array(path, where) if _is_array(path) else json_rows(path, where)
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
        tops = [name if name in names else name.partition(".")[0] for name in wanted]
        given = [name for name in dict.fromkeys(tops) if name in names]
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


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1000).lstrip()[:1] == b"["


def _array(path: Path, where: str) -> Iterator[dict[str, Any]]:
    """The rows of a file that is one JSON array."""
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid JSON: {json_error(error)}") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UserError(f"{where} row {number}: must be an object, got {short(row)}")
        yield row


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
