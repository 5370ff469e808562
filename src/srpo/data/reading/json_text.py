"""JSON values of a stream, one at a time; bad ones are passed over where their end can be found."""

from __future__ import annotations

import codecs
import json
import re
from typing import IO, Any

from srpo.data.reading.faults import Broken
from srpo.types import short
from srpo.verifiers.json_values import json_error

_CHUNK = 1 << 20
_LONGEST_WORD = 16  # characters: -Infinity, or an escape; an error so near the end may be the end's
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_BRACKETS = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[\[{]+|[\]}]+|,')
_LINE = re.compile(r"[^\n]*+\n\s*+(\S?)")
_NO_TEXT = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8, as `surrogateescape` has them


class NoValue:
    """In the place of a value that cannot be read, and what is wrong with it."""

    def __init__(self, why: str) -> None:
        self.why = why


class JsonText:
    """A file's text as far as it is needed: one value, and a chunk."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._limit, self._by_lines = file, 0, False
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._text, self._at, self._ended = "", 0, False
        self._begun = self._has_no_text = False
        self._new_line = True

    def near(self) -> str:
        return short(self._text[self._at : self._at + 40])

    def next_sign(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._new_line |= "\n" in space[0]
            self._at = space.end()
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        found = self.next_sign()
        if not found:
            raise Broken(f"ends before its {sign!r}: it was cut off; fetch or write it anew")
        if found != sign:
            raise Broken(f"not valid JSON: {self.near()} stands where {sign!r} is expected")
        self._at += 1

    def part(self, sign: str) -> None:
        """Raises Broken where no space comes after a value that began with `sign` and needs it."""
        if sign not in "[{" and self._text[self._at : self._at + 1].strip():
            raise Broken(f"not valid JSON: {self.near()} stands where a space is expected")

    def value(self, limit: int, by_lines: bool = False) -> Any:
        """The next value, or NoValue. Raises Broken.

        Args:
            limit: characters, of a value that is not whole within a chunk.
            by_lines: whether a bad value that begins a line ends with it, where the next line
                begins a row.
        """
        self._limit, self._by_lines = limit, by_lines
        self.next_sign()
        value = self._value()
        self._new_line = False
        return value

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._fits() and self._more():
                    continue
                return self._passed_over(self._why(error), cut_off=self._may_go_on(error))
            except (ValueError, RecursionError) as error:
                return self._passed_over(f"not valid JSON: {json_error(error)}")
            if end == len(self._text) and self._more():  # a number may go on
                continue
            if self._has_no_text and (bad := _NO_TEXT.search(self._text, self._at, end)):
                near = self._text[max(self._at, bad.start() - 20) : bad.start() + 20]
                shown = near.encode(errors="surrogateescape")
                value = NoValue(f"is not UTF-8, near {shown!r}; save it as UTF-8")
            self._at = end
            return value

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the text's end so far, and nothing in it, may be what is wrong."""
        unended = error.msg.startswith("Unterminated string")
        return unended or error.pos > len(self._text) - _LONGEST_WORD

    def _fits(self) -> bool:
        return len(self._text) - self._at <= self._limit

    def _passed_over(self, why: str, cut_off: bool = False) -> NoValue:
        """To the end of the value's line, or to the bracket that closes it."""
        end = self._line_end() if self._by_lines and self._new_line and not cut_off else None
        while end is None and (end := _end_of(self._text, self._at)) is None:
            if not self._fits() or not self._more():
                raise Broken(f"{why}, and nothing ends it")
        if end is None or end < 0:
            raise Broken(f"{why}, and where it ends is not clear")
        self._at = end
        return NoValue(why)

    def _line_end(self) -> int | None:
        """None where what comes after the line may be within the value."""
        while not (found := _LINE.match(self._text, self._at)) or not found[1]:
            if not self._fits() or not self._more():
                return len(self._text) if self._ended else None
        bare = self._text[self._at] not in "[{"
        return found.start(1) - 1 if bare or found[1] == "{" else None

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
        if not self._begun and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise Broken("is UTF-16; save it as UTF-8")
        self._begun, self._ended = True, not data
        more = self._decoder.decode(data, final=self._ended)
        if not more.isascii() and _NO_TEXT.search(more):
            self._has_no_text = True
        self._text, self._at = self._text[self._at :] + more, 0
        return True


def _end_of(text: str, at: int) -> int | None:
    """Where a value ends by its brackets, strings aside; None where the text ends before it, -1
    where there is a quote that does not end on its line."""
    depth = 0
    for found in _BRACKETS.finditer(text, at):
        sign, size = found[0][0], found.end() - found.start()
        if sign == '"':
            if size < 2 or text[found.end() - 1] != '"':
                return None if found.end() >= len(text) - 1 else -1
        elif sign == "," and not depth:
            return found.start()
        elif sign in "[{":
            depth += size
        elif sign in "]}":
            if size >= depth:
                return found.start() + depth
            depth -= size
    return None
