"""Arrow tables and Parquet files, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.data.reading.faults import Broken, Found, first_line
from srpo.data.reading.packed import check_ratio, open_seekable
from srpo.errors import RowFault

BATCH_ROWS = 1024
BATCH_BYTES = 64 << 20
WORST_BYTES = 1 << 30  # were every row of a batch as long as all of its row group


def parquet_file(path: Path, wanted: list[str] | None, where: str) -> Found:
    """Rows with the wanted columns (all, where None); of the others the names alone. Raises
    Broken."""
    with open_seekable(path) as file:
        try:
            parquet = pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
            names = parquet.schema_arrow.names
            rows, total = _rows_a_batch(parquet.metadata), parquet.metadata.num_rows
        except Broken:
            raise
        except Exception as error:  # pyarrow raises many types here, all mean the same to a user
            raise _unreadable(error) from error
        given = given_columns(names, wanted)
        if not given:  # each row is missing all that is needed
            yield from (dict.fromkeys(names) for _ in range(total))
            return
        done = 0
        for batch in _batches(parquet, given, rows):
            yield from table_rows(batch, names, given, where, done)
            done += batch.num_rows


def given_columns(names: list[str], wanted: list[str] | None) -> list[str]:
    """The columns that hold what is wanted: `a.b` is a column, or within column `a`. Raises Broken
    for two of one name."""
    tops = names if wanted is None else [n if n in names else n.partition(".")[0] for n in wanted]
    given = [name for name in dict.fromkeys(tops) if name in names]
    for name in given:
        if names.count(name) > 1:
            raise Broken(f"has {names.count(name)} columns {name!r}; keep one")
    return given


def table_rows(
    table: pa.RecordBatch | pa.Table, names: list[str], given: list[str], where: str, done: int
) -> Found:
    """Rows with all `names`, and the values of `given`: for others Python may have no value (a time
    in nanoseconds), or it may take a library for pictures to make one. `done` rows came before."""
    if not given:  # each row is missing all that is needed
        yield from (dict.fromkeys(names) for _ in range(table.num_rows))
    columns = [_values(table.column(name), name, done, where) for name in given]
    for values in zip(*columns, strict=True):
        fault = next((v for v in values if isinstance(v, RowFault)), None)
        yield fault or dict.fromkeys(names) | dict(zip(given, values, strict=True))


def _rows_a_batch(metadata: Any) -> int:
    """So many that a batch stays small, even if one long text is repeated in each row, which a
    dictionary makes cheap to store. Raises Broken for what is made to fill the memory."""
    rows = BATCH_ROWS
    check_ratio(metadata.serialized_size, metadata.num_rows)  # a column of one value is no bytes
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        columns = [group.column(j) for j in range(group.num_columns)]
        check_ratio(sum(c.total_compressed_size for c in columns), group.total_byte_size)
        most = max(1, group.total_byte_size)
        rows = min(rows, BATCH_BYTES * max(1, group.num_rows) // most, WORST_BYTES // most)
    return max(1, rows)


def _batches(parquet: pq.ParquetFile, given: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Group by group: a batch over the end of one would be lost with the next one's damage."""
    try:
        for group in range(parquet.num_row_groups):
            yield from parquet.iter_batches(batch_size=rows, row_groups=[group], columns=given)
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> Broken:
    return Broken(f"not a readable Parquet file: {first_line(error)}; write it anew")


def _values(column: Any, name: str, done: int, where: str) -> list[Any]:
    """A column's values, a fault in the place of one that cannot be read: text that is not UTF-8, a
    date before the year 1. `done` rows came before them."""
    try:
        return column.to_pylist()
    except Exception:
        at = f"{where} row"
        return [_value(v, name, f"{at} {n}") for n, v in enumerate(column, done + 1)]


def _value(value: Any, name: str, at: str) -> Any:
    try:
        return value.as_py()
    except Exception as error:
        why = first_line(error)
        return RowFault(f"{at}: column {name!r} has no readable value: {why}; write it anew")
