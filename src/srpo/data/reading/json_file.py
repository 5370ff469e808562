"""Files of one JSON value: an array of rows, or an object of columns or of rows by their id."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from srpo.data.reading.faults import Broken, Found
from srpo.data.reading.lines import BOM, LINE_LIMIT, json_lines, lines_of, not_utf8
from srpo.data.reading.packed import open_bytes
from srpo.errors import RowFault
from srpo.types import short
from srpo.verifiers.json_values import json_error

WHOLE_LIMIT = 512 << 20  # bytes: an object of columns has to be held as a whole
_CHUNK = 1 << 20
_DECODER = json.JSONDecoder()
_ANY_NUMBER = json.JSONDecoder(parse_int=str)  # takes numbers of any length
_LONG_NUMBER = json_error(ValueError())


def jsonl_file(path: Path, where: str) -> Found:
    """The rows of a JSONL file; it may be one array all the same. Raises Broken."""
    with open_bytes(path) as file:
        yield from _array(file, where) if _begins(file, b"[") else json_lines(file, where)


def json_file(path: Path, where: str) -> Found:
    """The rows of a file of one array or one object; it may be JSONL all the same. Raises
    Broken."""
    if _is_lines(path):
        with open_bytes(path) as file:
            yield from json_lines(file, where)
        return
    with open_bytes(path) as file:
        if _begins(file, b"["):
            yield from _array(file, where)
            return
        values = _values_of(file)
        two = list(islice(values, 2))
        rows = _shaped(two[0]) if len(two) == 1 else chain(two, values)
        yield from _checked(rows, where)


def _begins(file: BufferedReader, sign: bytes) -> bool:
    return file.peek(1000)[:1000].removeprefix(BOM).lstrip()[:1] == sign


def _is_lines(path: Path) -> bool:
    """Whether one of the first two lines is an object, and is not all that there is."""
    with open_bytes(path) as file:
        lines = (line for line in lines_of(file) if line is None or line.strip())
        try:
            first, second = next(lines, b""), next(lines, b"")
        except Broken as error:
            if "UTF-16" in str(error):
                raise
            return False
    return second != b"" and (_is_object(first) or _is_object(second))


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _array(file: IO[bytes], where: str) -> Found:
    yield from _checked(_items(_Text(file, LINE_LIMIT)), where)


def _items(text: _Text) -> Iterator[Any]:
    text.take("[")
    if text.next_sign() == "]":
        text.take("]")
    else:
        yield text.value()
        while text.next_sign() == ",":
            text.take(",")
            yield text.value()
        text.take("]")
    if text.next_sign():
        raise Broken(f"goes on after its array's end with {text.near()}; keep one array")


def _values_of(file: IO[bytes]) -> Iterator[Any]:
    """Values one after the other, with nothing but space between them."""
    text = _Text(file, WHOLE_LIMIT)
    while text.next_sign():
        yield text.value()


def _checked(values: Iterator[Any], where: str) -> Found:
    for number, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield value
        elif isinstance(value, _NoValue):
            yield RowFault(f"{where} row {number}: not valid JSON: {value.why}")
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


class _NoValue:
    """In the place of a value that is whole, but that Python does not take."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Text:
    """A file's text as far as it is needed: one value of at most `limit` bytes, and a chunk."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._ended = "", 0, False

    def near(self) -> str:
        return short(self._text[self._at : self._at + 40])

    def next_sign(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        found = self.next_sign()
        if not found:
            raise Broken(f"ends before its {sign!r}: it was cut off; fetch or write it anew")
        if found != sign:
            raise Broken(f"not valid JSON: {self.near()} stands where {sign!r} is expected")
        self._at += 1

    def value(self) -> Any:
        """The next value. Raises Broken."""
        self.next_sign()
        while True:
            try:
                value, end = self._decoded()
            except json.JSONDecodeError as error:
                if not self._fits() or not self._more():
                    raise Broken(self._why(error)) from error
                continue
            if end < len(self._text) or not self._more():  # else a number may go on
                self._at = end if end < len(self._text) else len(self._text)
                return value

    def _decoded(self) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            raise
        except RecursionError as error:
            raise Broken(f"not valid JSON: {json_error(error)}") from error
        except ValueError:
            _, end = _ANY_NUMBER.raw_decode(self._text, self._at)
            return _NoValue(_LONG_NUMBER), end

    def _fits(self) -> bool:
        return len(self._text) - self._at <= self._limit

    def _why(self, error: json.JSONDecodeError) -> str:
        if not self._fits():
            most = self._limit >> 20
            return f"not valid JSON, or a value of more than {most} MB; write it as JSONL"
        near = short(self._text[max(self._at, error.pos - 20) : error.pos + 20])
        return f"not valid JSON: {error.msg} near {near}; fetch or write it anew"

    def _more(self) -> bool:
        """Twice as much text: what is tried again and again is read twice in all."""
        if self._ended:
            return False
        data = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise Broken(not_utf8(error)) from error
        self._text, self._at = self._text[self._at :] + more, 0
        return True
