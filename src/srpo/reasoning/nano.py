"""Behaviours of the scale model, which has no words: its responses are calculations, a line each.

Other responses that calculate in lines of their own show them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

REPEATED, CHECKED = "step repeated", "result checked"
NANO_BEHAVIOURS = (REPEATED, CHECKED)

_STEP = re.compile(r"(-?\d{1,9})([-+*]|//|%)(-?\d{1,9})=(-?\d{1,9})")
_INVERSE = {"+": "-", "-": "+", "*": "//"}


def nano_behaviours(text: str) -> dict[str, int]:
    """How often a calculation stands there a second time, and how often the result of one is
    calculated back: `47+23=70`, later `70-23=47`."""
    seen: set[tuple[str, str, str]] = set()
    backwards: set[tuple[str, str, str, str]] = set()
    found = {REPEATED: 0, CHECKED: 0}
    for a, sign, b, result in _steps(text):
        found[REPEATED] += (a, sign, b) in seen
        found[CHECKED] += (a, sign, b, result) in backwards
        seen.add((a, sign, b))
        if inverse := _INVERSE.get(sign):
            backwards.add((result, inverse, b, a))
            if sign != "-":  # either of the two can be taken away again
                backwards.add((result, inverse, a, b))
    return found


def _steps(text: str) -> Iterator[tuple[str, str, str, str]]:
    for line in text.splitlines():
        if found := _STEP.fullmatch(line.strip()):
            yield found[1], found[2], found[3], found[4]
