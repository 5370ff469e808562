"""CSV files with a row of column names first."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from srpo.data.reading.faults import Broken, Found
from srpo.data.reading.lines import LINE_LIMIT, TOO_LONG, lines_of
from srpo.data.reading.packed import open_bytes
from srpo.errors import RowFault
from srpo.types import short


def csv_file(path: Path, wanted: list[str] | None, where: str) -> Found:
    """Each row's cells by their column's name; all are texts. Raises Broken."""
    csv.field_size_limit(LINE_LIMIT)  # Python's own is 131,072 characters
    with open_bytes(path) as file:
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        header: list[str] | None = None
        while (cells := _next_row(reader, lines)) is not None:
            at = f"{where} line {lines.row_began}"
            if header is None:
                header = _header(cells, wanted)
            elif isinstance(cells, str):
                yield RowFault(f"{at}: {cells}")
            elif cells:
                yield _row(header, cells, at)


def _next_row(reader: Iterator[list[str]], lines: _Lines) -> list[str] | str | None:
    """The cells, or what is wrong with them; None at the end."""
    lines.begin_row()
    try:
        return next(reader, None)
    except csv.Error as error:
        return f"is no readable CSV ({error}); quote cells, and double the quotes within them"
    except _TooLong:
        return TOO_LONG


def _header(cells: list[str] | str, wanted: list[str] | None) -> list[str]:
    if isinstance(cells, str):
        raise Broken(f"its first row, of column names, {cells}")
    if bad := next((c for c in cells if _no_text(c)), None):
        raise Broken(f"its first row, of column names, is not UTF-8: {bad!a}; save it as UTF-8")
    twice = [c for c, times in Counter(cells).items() if times > 1]
    if bad := next((c for c in twice if wanted is None or c in wanted), None):
        raise Broken(f"has {cells.count(bad)} columns {bad!r}; keep one")
    return cells


def _row(header: list[str], cells: list[str], at: str) -> dict[str, str] | RowFault:
    if len(cells) != len(header):
        return RowFault(
            f"{at}: has {len(cells)} cells for {len(header)} columns, the first is"
            f" {short(cells[0])}; quote cells with commas in them"
        )
    for name, cell in zip(header, cells, strict=True):
        if _no_text(cell):
            shown = short(cell.encode(errors="surrogateescape"))
            return RowFault(f"{at}: column {name!r} is not UTF-8: {shown}; save it as UTF-8")
    return dict(zip(header, cells, strict=True))


def _no_text(cell: str) -> bool:
    """Whether some of its bytes were no UTF-8."""
    return not cell.isascii() and any("\udc80" <= c <= "\udcff" for c in cell)


class _TooLong(Exception):
    """A row over the limit, for example one with a quote that is never closed."""


class _Lines:
    """Lines for csv's reader, at most LINE_LIMIT bytes a row; bytes that are no text are kept as
    surrogates, so that they are the fault of their row alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self._lines = lines_of(file)
        self._number = self._in_row = 0
        self.row_began = 1

    def begin_row(self) -> None:
        self.row_began, self._in_row = self._number + 1, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._in_row += len(line or b"")
        if line is None or self._in_row > LINE_LIMIT:
            raise _TooLong
        return line.decode(errors="surrogateescape")
