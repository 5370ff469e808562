"""What a reader yields, and what ends its reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srpo.errors import RowFault

# Rows in their order, a fault in the place of a bad one.
Found = Iterator[dict[str, Any] | RowFault]


MOST_FAULTS = 10_000  # one after the other


class Broken(Exception):
    """Nothing more can be read of a file: what it is, and the fix, to follow the file's name."""


def until_broken(rows: Found, where: str) -> Found:
    """The rows, and one fault for all those that come after the place where a file is broken, or
    after MOST_FAULTS rows of which none could be read: that is no file of rows."""
    done = faults = 0
    try:
        for row in rows:
            yield row
            done += 1
            faults = faults + 1 if isinstance(row, RowFault) else 0
            if faults == MOST_FAULTS:
                raise Broken(f"{faults:,} rows one after the other are bad; give a file of rows")
    except Broken as error:
        yield RowFault(f"{where}{f' after row {done}' if done else ''}: {error}")


def first_line(error: BaseException) -> str:
    """What an error of a library says, on one line of bounded length."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
