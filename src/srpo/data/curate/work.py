"""The folder of an unfinished curation: what is done in it is not done again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.data.curate.judged import SCHEMA, Judged, from_row, to_row
from srpo.files import replacing
from srpo.plans import claim
from srpo.types import UserError, short

# Texts that are many in one group of rows can be more than an Arrow array of them may hold.
GROUP_ROWS, GROUP_BYTES = 4096, 64 << 20


class Work:
    """Chunks of judged rows, and results by row id, under `OUT/.curate`.

    `plan` is all that the results depend on. Raises UserError where the folder holds an unfinished
    curation by another plan.
    """

    def __init__(self, out: Path, plan: dict[str, Any]) -> None:
        self.folder = out / ".curate"
        self._lock = claim(self.folder, plan, out, "curation", self._clear)
        shutil.rmtree(self._finished, ignore_errors=True)

    def _clear(self) -> None:
        """What is left of no plan that is known goes."""
        for chunk in self.folder.glob("*.*"):
            chunk.unlink()

    def chunk(self, number: int) -> Path:
        """Where the chunk of that number is, or will be."""
        return self.folder / f"{number:06d}.parquet"

    def chunks(self) -> list[Path]:
        """Those that are done, in order."""
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def rows(self) -> Iterator[Judged]:
        """All rows of all chunks, in order of the sources."""
        for path in self.chunks():
            yield from read_judged(path)

    def results(self, name: str) -> Results:
        """What was found out of rows in a stage, by their id."""
        return Results(self.folder / f"{name}.jsonl")

    def remove(self) -> None:
        """The curation is finished. It is gone in one move: half of it would be of no plan."""
        self.folder.rename(self._finished)
        shutil.rmtree(self._finished)
        self._lock.close()

    @property
    def _finished(self) -> Path:
        return self.folder.with_name(".curate-finished")


class Results:
    """Lines of JSON, appended one by one: a kill loses the line that was being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Any] = {}
        if path.is_file():
            whole = path.read_bytes()
            kept = whole[: whole.rfind(b"\n") + 1]
            if kept != whole:
                path.write_bytes(kept)
            self.found = dict(map(json.loads, kept.splitlines()))

    def add(self, id_: str, value: Any) -> None:
        """Write it down before anything else goes on."""
        self.found[id_] = value
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([id_, value]) + "\n")


class JudgedWriter:
    """A Parquet file of rows, there in one move at the end; memory holds a group of them. Use as
    a context manager.
    """

    def __init__(self, path: Path, schema: pa.Schema = SCHEMA) -> None:
        self._path, self._schema = path, schema
        self._names = set(schema.names)
        self._group: list[dict[str, Any]] = []
        self._size = 0
        self.rows = 0

    def add(self, judged: Judged) -> None:
        """The next row."""
        row = {name: value for name, value in to_row(judged).items() if name in self._names}
        self._group.append(row)
        self._size += sum(len(v) for v in row.values() if isinstance(v, str))
        self.rows += 1
        if len(self._group) >= GROUP_ROWS or self._size > GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._group, self._schema))
        self._group, self._size = [], 0

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            unfinished = opened.enter_context(replacing(self._path))
            self._writer = opened.enter_context(pq.ParquetWriter(unfinished, self._schema))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._flush()
        self._opened.__exit__(*error)


def write_judged(path: Path, rows: Iterable[Judged], schema: pa.Schema = SCHEMA) -> None:
    """A Parquet file of the rows, in one move."""
    with JudgedWriter(path, schema) as writer:
        for judged in rows:
            writer.add(judged)


def read_judged(path: Path) -> Iterator[Judged]:
    """The rows of a file of SCHEMA, or of a part of it."""
    missing = dict.fromkeys(SCHEMA.names, "")
    for batch in pq.ParquetFile(path).iter_batches(512):
        for row in batch.to_pylist():
            yield from_row(missing | row)


def find_judged(path: Path, id_: str) -> Judged | None:
    """The row of that id, without reading the texts of others."""
    try:
        found = pq.read_table(path, filters=[("id", "=", id_)]).to_pylist()
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise UserError(f"{path}: cannot be searched for {short(id_)}: {error}") from error
    return from_row(dict.fromkeys(SCHEMA.names, "") | found[0]) if found else None
