"""Behaviours of the scale model, whose responses are calculations, a line each.

Other responses that calculate in lines of their own show them too.
"""

from __future__ import annotations

import re

REPEATED, CHECKED = "step repeated", "result checked"
NANO_BEHAVIOURS = (REPEATED, CHECKED)

_STEP = re.compile(r"(wait, )?(-?\d{1,9}(?:[-+*]|//|%)-?\d{1,9})=-?\d{1,9}")


def nano_behaviours(text: str) -> dict[str, int]:
    """How often a calculation stands there a second time, and how often the response says so: with
    `wait, 23+4=27` behind `23+4=27` it goes back to a result, and confirms or mends it."""
    seen: set[str] = set()
    found = {REPEATED: 0, CHECKED: 0}
    for line in text.splitlines():
        step = _STEP.fullmatch(line.strip())
        if step is None:
            continue
        again = step[2] in seen
        found[REPEATED] += again
        found[CHECKED] += again and step[1] is not None
        seen.add(step[2])
    return found
