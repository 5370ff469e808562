"""Exact comparison of plainly written numbers, without a computer algebra system.

Plain are: integers, decimals, fractions (1/2, \\frac{1}{2}, \\frac12), a sign, thousands
separators (1,234  1{,}234  1\\,234), a currency $ and maths delimiters around it all. Percent,
powers, units and lists are not: those are for math-verify.
"""

from __future__ import annotations

import re
from fractions import Fraction

MAX_CHARS = 400
_WHOLE = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_NUMBER = re.compile(rf"(?:{_WHOLE}(?:\.\d*)?|\.\d+)", re.ASCII)
_SLASH = re.compile(rf"({_WHOLE})\s*/\s*({_WHOLE})", re.ASCII)
_FRAC = re.compile(
    rf"\\[dt]?frac\s*(?:\{{\s*({_WHOLE})\s*\}}\s*\{{\s*({_WHOLE})\s*\}}|(\d)\s*(\d))", re.ASCII
)
_DELIMITERS = (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))
_SPACING = re.compile(r"\\[,!;:]|\\ |~")


def simplify(text: str) -> str:
    """Strip what carries no meaning: maths delimiters, outer spaces, a closing full stop."""
    text = text.strip()
    for start, end in _DELIMITERS:
        if len(text) > len(start) + len(end) and text.startswith(start) and text.endswith(end):
            text = text[len(start) : -len(end)].strip()
            break
    return text.removesuffix(".").strip() if not text.endswith("..") else text


def parse_number(text: str) -> tuple[Fraction, bool] | None:
    """The exact value, and whether it was written as a decimal; None when it is not plain."""
    if len(text) > MAX_CHARS:
        return None
    text = simplify(text).replace("\N{MINUS SIGN}", "-").replace("{,}", ",")
    text = _SPACING.sub("", text).removeprefix("\\$").removeprefix("$").strip()
    sign = 1
    if text[:1] in ("-", "+"):
        sign = -1 if text[0] == "-" else 1
        text = text[1:].lstrip()
    text = text.removeprefix("\\$").removeprefix("$")
    if _NUMBER.fullmatch(text):
        return sign * Fraction(text.replace(",", "").removesuffix(".")), "." in text
    match = _SLASH.fullmatch(text) or _FRAC.fullmatch(text)
    if not match:
        return None
    above, below = (int(part.replace(",", "")) for part in match.groups() if part is not None)
    return (sign * Fraction(above, below), False) if below else None


def equal_numbers(gold: str, answer: str) -> bool | None:
    """Whether both are the same plain number; None when that cannot be said here.

    Undecided are also unequal numbers of which one is a decimal and the other is not a
    terminating one (0.333333 and 1/3): rounding is math-verify's business.
    """
    a, b = parse_number(gold), parse_number(answer)
    if a is None or b is None:
        return None
    if a[0] == b[0]:
        return True
    if (a[1] and not _terminates(b[0])) or (b[1] and not _terminates(a[0])):
        return None
    return False


def _terminates(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
