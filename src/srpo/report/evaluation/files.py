"""What is read of an evaluation's folder."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.evaluation.store import SCHEMA, Responses, Row, read_part
from srpo.types import UserError

BATCH = 256  # questions that are read at once


def read_result(out: Path) -> dict[str, Any]:
    """The result of a finished evaluation. Raises UserError."""
    try:
        result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{str(out)!r} is no finished evaluation: it has no result.json") from error
    if not isinstance(result, dict) or not {"model", "config", "sets"} <= result.keys():
        raise UserError(f"{str(out)!r} is no evaluation: its result.json is of something else")
    return result


def part_files(out: Path, name: str) -> list[Path]:
    """The files of a set's responses, in order; not those of a set whose name begins alike."""
    first = Responses(out).part(name, 0)
    stem = first.stem.removesuffix("-00000")
    own = re.compile(re.escape(stem) + r"-\d{5,}\.parquet")
    return sorted(f for f in first.parent.glob(f"{stem}-*.parquet") if own.fullmatch(f.name))


def problems_of(file: Path, columns: list[str] | None = None) -> Iterator[list[Row]]:
    """The rows of each problem in a file of responses, in order: of some columns, or of all.
    Raises UserError."""
    for _, rows in groupby(_rows(file, columns), lambda row: row["id"]):
        yield list(rows)


def _rows(file: Path, columns: list[str] | None) -> list[Row]:
    if columns is None:
        return read_part(file)
    try:
        return pq.read_table(file, schema=SCHEMA, columns=columns).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"{file}: cannot be read ({error}); delete it, and srpo eval makes it anew"
        ) from error


def questions(out: Path, chosen: Container[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """The chosen problems by set and id, out of any number of them. Raises UserError."""
    path, found = out / "problems.parquet", {}
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH):
                for row in batch.to_pylist():
                    if (key := (row["benchmark"], row["id"])) in chosen:
                        found[key] = row
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); srpo eval with the same arguments writes it anew"
        ) from error
    return found
