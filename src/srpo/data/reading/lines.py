"""Lines of text files, and JSONL: an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from srpo.data.reading.faults import Broken, Found
from srpo.errors import RowFault
from srpo.verifiers.json_values import json_error

LINE_LIMIT = 64 << 20  # bytes
MOST_BLANK = 1_000_000  # lines, one after the other
BOM = b"\xef\xbb\xbf"
TOO_LONG = (
    f"is longer than {LINE_LIMIT >> 20} MB, more than any problem needs; shorten it, or leave it"
    " out"
)


def lines_of(file: IO[bytes]) -> Iterator[bytes | None]:
    """The lines with their ends, without the mark of a text's first bytes; None for a line over
    LINE_LIMIT, which is passed over without being held. Raises Broken for UTF-16, and for a file
    that goes on and on with nothing in it."""
    first, blank = True, 0
    while line := file.readline(LINE_LIMIT + 1):
        if first:
            if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise Broken("is UTF-16; save it as UTF-8")
            line, first = line.removeprefix(BOM), False
        blank = blank + 1 if len(line) <= 2 and line.isspace() else 0
        if blank > MOST_BLANK:
            raise Broken(f"goes on with more than {MOST_BLANK:,} blank lines; leave them out")
        if len(line) <= LINE_LIMIT:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(1 << 20)
        yield None


def json_lines(file: IO[bytes], where: str) -> Found:
    """The rows of an open JSONL file, empty lines skipped. Raises Broken."""
    for number, line in enumerate(lines_of(file), 1):
        if line is None:
            yield RowFault(f"{where} line {number}: {TOO_LONG}")
        elif line.strip():
            yield _row(line, f"{where} line {number}")


def _row(line: bytes, where: str) -> dict[str, Any] | RowFault:
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return RowFault(f"{where}: {not_utf8(error)}")
    except (ValueError, RecursionError) as error:
        return RowFault(f"{where}: not valid JSON: {json_error(error)}; it is {line[:40]!r}")
    if not isinstance(row, dict):
        return RowFault(f"{where}: must be an object, got {line[:40]!r}")
    return row


def not_utf8(error: UnicodeDecodeError) -> str:
    """Which bytes are no text."""
    near = bytes(error.object[max(0, error.start - 20) : error.start + 20])
    return f"is not UTF-8, near {near!r}; save it as UTF-8"
