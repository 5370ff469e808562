"""A response in sentences, where they stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

# After a full stop and what closes behind it, before a capital, a quotation or a formula.
_END = re.compile(r"\n+|(?<=[.?!])[\"')*]*[ \t]+(?=[\"'(*\\$A-Z])")
_WORD = re.compile(r"[A-Za-z]{2}")
SHORTEST = 12  # characters; what is shorter is a list's number or a formula
LONGEST = 2000  # of a longer one, the first so many are looked at: it is no sentence


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence. In time proportional to the text."""
    start = 0
    for found in _END.finditer(text):
        yield from _span(text, start, found.start())
        start = found.end()
    yield from _span(text, start, len(text))


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    end = min(end, start + LONGEST)
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    end = start + len(part.strip())
    if end - start >= SHORTEST and _WORD.search(text, start, end):
        yield start, end
