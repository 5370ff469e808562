"""What of a response is prose: neither code, nor mathematics, nor an address, nor a gloss."""

# ruff: noqa: RUF001

from __future__ import annotations

import re

_OPENING = re.compile(r"```|`|\$\$|\$(?=[^\s$])|\\\[|\\\(|\\begin\{|\[asy\]")
_CLOSING = {
    "```": "```",
    "$$": "$$",
    "\\[": "\\]",
    "\\(": "\\)",
    "\\begin{": "\\end{",
    "[asy]": "[/asy]",
}
_IN_LINE = {"`": re.compile(r"[^`\n]*+`"), "$": re.compile(r"[^$\n]*+(?<!\s)\$(?!\d)")}
# \text{...} outside mathematics keeps its content, as \boxed{...} does.
_NOISE = re.compile(
    r"\\[a-zA-Z]+|</?[a-z]+>|\b(?:https?://|www\.)\S+|\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"
    r"|[(（\"“«「『《‘'][^\W\d_]{1,6}[)）\"”»」』》’']",  # a word in brackets or quotes: a gloss
    re.IGNORECASE,
)


def prose(text: str) -> str:
    """The text without code (fenced or in backticks), LaTeX, tags, addresses and glosses (single
    short words in brackets or quotes). A block that stays open goes to the end. Linear time."""
    parts: list[str] = []
    at = 0
    for start, end in _blocks(text):
        parts.append(text[at:start])
        at = end
    parts.append(text[at:])
    return _NOISE.sub(" ", " x ".join(parts))  # a formula stands for a word: x


def _blocks(text: str) -> list[tuple[int, int]]:
    """(start, end) of all code and mathematics."""
    found: list[tuple[int, int]] = []
    at = 0
    while opening := _OPENING.search(text, at):
        mark, at = opening[0], opening.end()
        if mark in _CLOSING:
            close = text.find(_CLOSING[mark], at)
            at = len(text) if close < 0 else close + len(_CLOSING[mark])
        elif (match := _IN_LINE[mark].match(text, at)) is None:
            continue  # a lone backtick, or a dollar
        else:
            at = match.end()
        found.append((opening.start(), at))
    return found
