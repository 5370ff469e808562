"""Exact comparison of plainly written numbers, without a computer algebra system.

Plain are: integers, decimals, fractions (1/2, \\frac{1}{2}, \\frac12), mixed numbers
(2\\frac{1}{2}, 2 1/2), powers of ten (3.5 \\times 10^{-7}, 3.5e-7), repeating decimals
(0.\\overline{3}), a sign, thousands separators (1,234  1{,}234  1\\,234), a currency $ and
maths delimiters around it all. Other powers, units and lists are not.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

MAX_CHARS = 400
MAX_EXPONENT = 400
NOISE_DIGITS = 15  # a number written with so many is a float's print-out
_WHOLE = r"(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)"
_NUMBER = re.compile(rf"(?:{_WHOLE}(?:\.\d*)?|\.\d+)", re.ASCII)
_SLASH = re.compile(rf"({_WHOLE})\s*/\s*({_WHOLE})", re.ASCII)
_BRACED = rf"\\[dt]?frac\s*(?:\{{\s*({_WHOLE})\s*\}}\s*\{{\s*({_WHOLE})\s*\}}|(\d)\s*(\d))"
_FRAC = re.compile(_BRACED, re.ASCII)
_MIXED = re.compile(rf"(\d{{1,9}})(?:\s*{_BRACED}|\s+(\d{{1,9}})/(\d{{1,9}}))", re.ASCII)
_TENS = re.compile(
    r"(?:(\d+(?:\.\d+)?|\.\d+)(?:[eE]|\s*(?:\*|\\times|\\cdot|\xd7)\s*10\s*\^)|10\s*\^)"
    r"\s*(?:\{\s*([+-]?\d{1,3})\s*\}|([+-]?\d{1,3}))",
    re.ASCII,
)
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\s*\{\s*(\d+)\s*\}", re.ASCII)
_DOTTED = re.compile(r"\\dot\s*(?:\{\s*(\d)\s*\}|(\d))(?:(\d*)\\dot\s*(?:\{\s*(\d)\s*\}|(\d)))?")
_BAR = re.compile(r"\\(?:bar|overline)\s*(?:\{\s*(\d+)\s*\}|(\d))")
_DELIMITERS = (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))
_SPACED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:(?:\\[,!;: ]|~)\d{3})+(?!\d)", re.ASCII)
_SPACING = re.compile(r"\\[,!;: ]|~")
_COMMA = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)


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
    if text.isdecimal() and text.isascii():
        return Fraction(int(text)), False
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Fraction, bool] | None:
    text = simplify(text).replace("\N{MINUS SIGN}", "-").replace("{,}", ",")
    text = _SPACING.sub(" ", join_thousands(text)).strip()
    text = text.removeprefix("\\$").removeprefix("$").strip()
    sign = 1
    if text[:1] in ("-", "+"):
        sign = -1 if text[0] == "-" else 1
        text = text[1:].lstrip()
    text = text.removeprefix("\\$").removeprefix("$")
    if _NUMBER.fullmatch(text):
        return sign * Fraction(text.replace(",", "").removesuffix(".")), "." in text
    if repeating := _REPEATING.fullmatch(_one_period(text)):
        whole, fixed, period = (part or "" for part in repeating.groups())
        below = 10 ** len(fixed) * (10 ** len(period) - 1)
        above = int(whole + fixed + period) - int(whole + fixed or "0")
        return sign * Fraction(above, below), False
    if tens := _TENS.fullmatch(text):
        exponent = int(tens[2] or tens[3])
        if abs(exponent) > MAX_EXPONENT:
            return None
        return sign * Fraction(tens[1] or 1) * Fraction(10) ** exponent, "." in (tens[1] or "")
    if mixed := _MIXED.fullmatch(text):
        whole, above, below = (int(part.replace(",", "")) for part in mixed.groups() if part)
        return (sign * (whole + Fraction(above, below)), False) if 0 < above < below else None
    match = _SLASH.fullmatch(text) or _FRAC.fullmatch(text)
    if not match:
        return None
    above, below = (int(part.replace(",", "")) for part in match.groups() if part is not None)
    return (sign * Fraction(above, below), False) if below else None


def _one_period(text: str) -> str:
    """Dots over a period's first and last digit, and a short bar, as \\overline{...}."""
    if "\\" not in text:
        return text
    text = _DOTTED.sub(
        lambda m: f"\\overline{{{''.join(part or '' for part in m.groups())}}}", text
    )
    return _BAR.sub(lambda m: f"\\overline{{{m[1] or m[2]}}}", text)


def join_thousands(text: str) -> str:
    """Without the small spaces (\\, and the like) between groups of three digits."""
    return _SPACED.sub(lambda m: re.sub(r"\D", "", m[0]), text)


def equal_numbers(gold: str, answer: str, digits: int = 6) -> bool | None:
    """Whether both are the same plain number; None when one is not a plain number.

    A decimal also equals a fraction or root that it rounds, when it has at least `digits`
    significant digits; 15 of them and more are taken for a float's print-out.
    """
    a, b = parse_number(gold), parse_number(answer)
    if a is None or b is None:
        return None
    if a[0] == b[0]:
        return True
    if a[1] and b[1]:
        noisy = max(significant_digits(gold), significant_digits(answer)) >= NOISE_DIGITS
        return noisy and abs(a[0] - b[0]) <= abs(a[0]) / 10 ** (NOISE_DIGITS - 1)
    if a[1] and b[0].denominator > 1:
        return close_enough(gold, b[0], digits)
    if b[1] and a[0].denominator > 1:
        return close_enough(answer, a[0], digits)
    return False


def close_enough(decimal: str, exact: Any, digits: int) -> bool:
    """Whether `decimal`, a plain number with a point, is `exact` (a Fraction or a sympy
    Rational) rounded or cut after at least `digits` significant digits."""
    number = parse_number(decimal)
    written = significant_digits(decimal)
    if number is None or written < digits or number[0] == 0:
        return False
    size = len(str(int(abs(number[0])))) if abs(number[0]) >= 1 else -_leading_zeros(number[0])
    unit = Fraction(10) ** (size - written)
    true = Fraction(int(exact.numerator), int(exact.denominator))
    cut = (true - number[0]) * (1 if number[0] > 0 else -1)
    return 0 <= cut < unit or abs(cut) <= unit / 2


def significant_digits(text: str) -> int:
    """Of a plain decimal, trailing zeros included."""
    mantissa = re.split(r"[eE]|\\times|\\cdot|\*|\xd7", text)[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))


def decimal_comma(text: str) -> str | None:
    """0,75 as 0.75: a comma that groups no thousands. None for everything else."""
    match = _COMMA.fullmatch(simplify(text).removeprefix("\\$").strip())
    if not match or (len(match[2]) == 3 and match[1].lstrip("+-") != "0"):
        return None
    return f"{match[1]}.{match[2]}"


def _leading_zeros(value: Fraction) -> int:
    zeros, value = 0, abs(value)
    while value < Fraction(1, 10) and zeros <= MAX_EXPONENT:
        value *= 10
        zeros += 1
    return zeros
