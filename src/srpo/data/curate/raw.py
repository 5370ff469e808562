"""The raw data sets of a curation: their names, their rows in chunks, their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from srpo.data.adapters import find_layout
from srpo.data.adapters.base import Layout
from srpo.data.adapters.mapped import mapped
from srpo.data.reading.hub import hub_name
from srpo.data.reading.names import has_rows, stem
from srpo.data.rows import read_rows
from srpo.errors import RowFault
from srpo.nano.problems import nano_problems
from srpo.recipe.curation import RawSource
from srpo.types import UserError

CHUNK_ROWS, CHUNK_CHARACTERS = 1024, 8 << 20
NANO_DEFAULT = 512

Numbered = tuple[int, dict[str, Any] | RowFault]


@dataclass(frozen=True)
class Raw:
    """A raw data set. `name` is the first half of its rows' ids; `layout` says how they are read,
    None where no row could be."""

    name: str
    source: RawSource
    layout: Layout | None
    seed: int

    def rows(self) -> Iterator[Numbered]:
        """Each with its number, from 0; in the place of a bad one, what is wrong with it."""
        return islice(_rows(self.source, self.seed), self.source.limit)

    def chunks(self) -> Iterator[list[Numbered]]:
        """The rows, so many together as memory takes easily."""
        chunk: list[Numbered] = []
        size = 0
        for number, row in self.rows():
            chunk.append((number, row))
            size += 0 if isinstance(row, RowFault) else _size(row)
            if len(chunk) == CHUNK_ROWS or size > CHUNK_CHARACTERS:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def files(self) -> list[dict[str, Any]]:
        """Name, bytes and SHA-256 of every file; none for what is generated or on the hub."""
        path = Path(self.source.path.partition(":")[0])
        found = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
        data = [file for file in found if file.is_file() and (has_rows(file) or file == path)]
        return [
            {"file": file.name, "bytes": file.stat().st_size, "sha256": _sha256(file)}
            for file in data
        ]


def open_sources(sources: list[RawSource], seed: int) -> list[Raw]:
    """Raises UserError for a set that is not there, or whose layout nobody knows.

    Args:
        sources: of the recipe or the command line.
        seed: of what is generated.
    """
    opened: list[Raw] = []
    for source in sources:
        name = _name(source.path, {raw.name for raw in opened})
        layout = None if source.columns is None else mapped(source.columns)
        if layout is None:
            first = next((r for _, r in _rows(source, seed) if isinstance(r, dict)), None)
            layout = None if first is None else find_layout(first, source.path)
        opened.append(Raw(name, source, layout, seed))
    return opened


def check_apart(out: Path, sources: list[RawSource]) -> None:
    """Raises UserError where the output would be among the raw data."""
    place = out.resolve()
    for source in sources:
        path = Path(source.path.partition(":")[0]).resolve()
        within = path.is_dir() and place.is_relative_to(path)
        if within or (path.is_file() and path.parent == place):
            raise UserError(
                f"--out {str(out)!r} is where the raw data {source.path!r} are: give another folder"
            )


def _name(path: str, taken: set[str]) -> str:
    name = path if path.startswith("nano:") or hub_name(path) else stem(Path(path))
    number = 2
    base = name
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _rows(source: RawSource, seed: int) -> Iterator[Numbered]:
    if not source.path.startswith("nano:"):
        yield from read_rows(source.path)
        return
    domain = source.path.removeprefix("nano:")
    if domain not in ("math", "code"):
        raise UserError(f"{source.path}: there are nano:math and nano:code")
    problems = nano_problems(domain, "train", source.limit or NANO_DEFAULT, seed)
    for number, p in enumerate(problems):
        gold = {"answer": p.answer} if p.tests is None else {"tests": p.tests}
        yield number, {"id": p.id, "prompt": p.prompt, "meta": p.meta, **gold}


def _size(row: dict[str, Any]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str | list | bytes))


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
