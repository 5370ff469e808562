"""Rows of raw data sets: files of several formats, folders of them, and the hub's.

`read_rows` goes on after a bad row, as curating does; `file_rows` ends at it, as training does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from srpo.data.reading.csv_file import csv_file
from srpo.data.reading.faults import Found, until_broken
from srpo.data.reading.hub import hub_name, hub_rows
from srpo.data.reading.json_file import json_file, jsonl_file
from srpo.data.reading.lines import json_lines
from srpo.data.reading.names import FORMATS, SHOWN, format_of, has_rows
from srpo.data.reading.tables import parquet_file
from srpo.errors import RowFault
from srpo.types import UserError

_SPLIT = re.compile(r"(train|test|valid|validation|val|dev|eval)(?![a-z])", re.I)


def value_at(row: dict[str, Any], column: str) -> Any:
    """A row's value; `a.b` is a column of that name, or b within a."""
    if column in row:
        return row[column]
    head, _, rest = column.partition(".")
    inner = row.get(head)
    return value_at(inner, rest) if rest and isinstance(inner, dict) else None


def read_rows(
    path: str | Path, wanted: list[str] | None = None, where: str | None = None
) -> Iterator[tuple[int, dict[str, Any] | RowFault]]:
    """Every row of a data set with its number, which counts from 0; where a row cannot be read, a
    fault stands in its place, and where a file cannot be read on, one for all of its rest.

    Memory does not grow with the data set.

    Args:
        path: a file (see `FORMATS`; also as .gz or .zst), a folder of such files, which are read in
            the order of their names, or a data set of the hub, see `hub_name`.
        wanted: the columns that are needed, `a.b` for b within a. Formats that can leave out the
            values of the others do so, and give None for them; None means all columns.
        where: how messages begin; the path, where None.

    Raises:
        UserError: there is no such data set, or none of a known format.
    """
    return enumerate(_found(path, wanted, str(path) if where is None else where))


def file_rows(path: str | Path, wanted: list[str] | None, where: str) -> Iterator[dict[str, Any]]:
    """The rows, see `read_rows`. Raises UserError for the first that cannot be read."""
    return _strict(_found(path, wanted, where))


def rows_of(file: IO[bytes], where: str) -> Iterator[dict[str, Any]]:
    """The rows of an open JSONL file, empty lines skipped. Raises UserError that names the line."""
    return _strict(until_broken(json_lines(file, where), where))


def _strict(found: Found) -> Iterator[dict[str, Any]]:
    for row in found:
        if isinstance(row, RowFault):
            raise row
        yield row


def _found(path: str | Path, wanted: list[str] | None, where: str) -> Found:
    if name := hub_name(path):
        yield from until_broken(hub_rows(name, wanted, where), where)
        return
    path = Path(path)
    if not path.exists():
        raise UserError(f"{where}: no such file; give {SHOWN}, a folder of these, or nano:math")
    if not path.is_dir():
        yield from _file(path, wanted, where)
        return
    for file in _files(path, where):
        yield from _file(file, wanted, f"{where.removesuffix('/')}/{file.name}")


def _files(folder: Path, where: str) -> list[Path]:
    """Those with rows. Raises UserError where they are of several splits: who gives a folder with
    train and test in it does not mean to train on both."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and has_rows(file))
    if not files:
        raise UserError(f"{where}: a folder without data files; give one with {SHOWN}")
    splits = {m[0].lower(): file.name for file in files if (m := _SPLIT.match(file.name))}
    if len(splits) > 1:
        shown = ", ".join(sorted(splits.values()))
        raise UserError(
            f"{where}: a folder with files of several splits ({shown}); give one of them, or the"
            f" split, as {folder}::{min(splits)}"
        )
    return files


def _file(path: Path, wanted: list[str] | None, where: str) -> Found:
    kind = format_of(path)
    if kind is None or not path.is_file():
        ending = f"ends in {path.suffix!r}" if kind is None else "no file"
        raise UserError(f"{where}: {ending}; give {SHOWN} ({', '.join(FORMATS)})")
    if kind == ".parquet":
        rows = parquet_file(path, wanted, where)
    elif kind == ".csv":
        rows = csv_file(path, wanted, where)
    else:
        rows = jsonl_file(path, where) if kind == ".jsonl" else json_file(path, where)
    empty = True
    for row in until_broken(rows, where):
        empty = False
        yield row
    if empty:
        yield RowFault(f"{where}: holds no rows; give a file with at least one")
