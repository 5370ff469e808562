"""Files of one JSON value: an array of rows, or an object of columns or of rows by their id; or of
objects one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from srpo.data.reading.faults import Broken, Found
from srpo.data.reading.json_text import JsonText, NoValue
from srpo.data.reading.lines import BOM, LINE_LIMIT, json_lines
from srpo.data.reading.packed import open_bytes
from srpo.errors import RowFault
from srpo.types import short

WHOLE_LIMIT = 512 << 20  # bytes: an object of columns has to be held as a whole
_ARRAY_OF_ROWS = re.compile(rb"\s*\[\s*(?:[{\]]|\Z)")  # a line of JSONL may be a wrong one: [1, 2]


def jsonl_file(path: Path, where: str) -> Found:
    """The rows of a JSONL file; it may be one array all the same. Raises Broken."""
    with open_bytes(path) as file:
        if _ARRAY_OF_ROWS.match(file.peek(1000)[:1000].removeprefix(BOM)):
            yield from _checked(_items(JsonText(file)), where)
        else:
            yield from json_lines(file, where)


def json_file(path: Path, where: str) -> Found:
    """The rows of a file of one array, of one object, or of objects one after the other, each on a
    line or not. Raises Broken."""
    with open_bytes(path) as file:
        text = JsonText(file)
        if text.next_sign() == "[":
            yield from _checked(_items(text), where)
            return
        values = _values_of(text)
        two = list(islice(values, 2))
        rows = _shaped(two[0]) if len(two) == 1 else chain(two, values)
        yield from _checked(rows, where)


def _items(text: JsonText) -> Iterator[Any]:
    text.take("[")
    if text.next_sign() == "]":
        text.take("]")
    else:
        yield text.value(LINE_LIMIT)
        while text.next_sign() == ",":
            text.take(",")
            yield text.value(LINE_LIMIT)
        text.take("]")
    if text.next_sign():
        raise Broken(f"goes on after its array's end with {text.near()}; keep one array")


def _values_of(text: JsonText) -> Iterator[Any]:
    """Values one after the other, with space between them, or none between objects."""
    while sign := text.next_sign():
        yield text.value(WHOLE_LIMIT, by_lines=True)
        text.part(sign)


def _checked(values: Iterator[Any], where: str) -> Found:
    for number, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield value
        elif isinstance(value, NoValue):
            yield RowFault(f"{where} row {number}: {value.why}")
        else:
            yield RowFault(f"{where} row {number}: must be an object, got {short(value)}")


def _shaped(value: Any) -> Iterator[Any]:
    """The rows in an object: of columns as lists, of columns by row number (pandas), or of rows by
    their id. What is none of these is a row itself."""
    inner = list(value.values()) if isinstance(value, dict) else []
    if inner and all(isinstance(v, list) for v in inner) and len(set(map(len, inner))) == 1:
        return (dict(zip(value, row, strict=True)) for row in zip(*inner, strict=True))
    if inner and all(isinstance(v, dict) for v in inner):
        if all(v and all(k.isdecimal() for k in v) for v in inner):
            numbers = dict.fromkeys(chain.from_iterable(inner))
            return ({name: column.get(n) for name, column in value.items()} for n in numbers)
        return ({"id": key, **row} for key, row in value.items())
    return iter([value])
