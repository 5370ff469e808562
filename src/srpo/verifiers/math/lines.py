r"""Several assignments, one under or beside the other, as a list: x=1 \\ y=2 is x=1, y=2."""

from __future__ import annotations

import re

_RELATION = (
    r"=|<|>|[≤≥≠≈∈]|\\(?:le|leq|leqslant|ge|geq|geqslant|ne|neq|lt|gt|in|approx)(?![a-zA-Z])"
)
_STARTS_WITH_ONE = re.compile(rf"\s*&?\s*(?:{_RELATION})")
_HAS_ONE = re.compile(_RELATION)
_CUT = re.compile(  # \\frac is a command that was escaped once too often
    r"(\\\\(?![a-zA-Z]{2})(?:\[[^\]]{0,9}\])?|\\newline(?![a-zA-Z])|\n"
    r"|\\q?quad(?![a-zA-Z])|\\hspace\*?\{[^{}]*\}|\\hfill(?![a-zA-Z]))"
)
_SYSTEM = re.compile(
    r"\s*(?:\\left\s*)?(?:\\\{|\\lbrace)?\s*\\begin\{(cases|aligned|array|align\*?|gathered|split)\}"
    r"(?:\{[lcr|\s]*\})?(.*)\\end\{\1\}\s*(?:\\right\s*\.?)?\s*",
    re.S,
)
_ALIGNMENT = re.compile(rf"&?\s*({_RELATION})\s*&?")


def join_lines(text: str) -> str:
    """The text with a comma between assignments on lines, or wide spaces, of their own."""
    if system := _SYSTEM.fullmatch(text):
        body = _ALIGNMENT.sub(r" \1 ", system[2])
        rows = [row for row in _CUT.split(body)[::2] if row.strip()]
        if "&" in body or "\\begin" in body or not all(_HAS_ONE.search(row) for row in rows):
            return text
        return _join(body)
    return text if "\\begin" in text else _join(text)


def _join(text: str) -> str:
    pieces = _CUT.split(text)
    joined, listing = "", False
    for between, part in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        assigns, goes_on = _assigns(part), _STARTS_WITH_ONE.match(part) is not None
        joined += (", " if listing and assigns else " " if goes_on else between) + part
        if part.strip():
            listing = assigns or (listing and goes_on)
    return joined.strip()


def _assigns(part: str) -> bool:
    """Whether it has a relation outside all braces, with something before it."""
    if _STARTS_WITH_ONE.match(part) or part.count("{") != part.count("}"):
        return False
    bare = re.sub(r"\{[^{}]*\}", "", re.sub(r"\{[^{}]*\}", "", part))
    return _HAS_ONE.search(bare) is not None
