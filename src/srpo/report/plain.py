"""Text of a model, made harmless for a terminal; and numbers, made short for a person."""

from __future__ import annotations

import math
import unicodedata
from typing import Literal

Unit = Literal["share", "count", "number", "tokens", "seconds", "log"]

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Cc: control, with the escapes that move cursors and set titles. Cf: format, with the marks that
# reverse the reading direction or hide text. Cs: halves of surrogate pairs, which no stream can
# encode. Zl, Zp: line and paragraph separators. Co, Cn: no agreed meaning.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"})


def printable(text: str) -> str:
    """Every character that could do more than be seen becomes its visible escape.

    Newlines and tabs stay. Put the result in a `rich.text.Text`, never in a markup string.
    """
    return "".join(_visible(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def one_line(text: str, width: int) -> str:
    """Printable, on one line, cut to `width` characters with an ellipsis."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def duration(seconds: float) -> str:
    """3.5 → '4s', 250 → '4m10s', 7300 → '2h01m', 200000 → '2d07h'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def short_count(count: float) -> str:
    """2310000 → '2.31M'."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:,.0f}"


def cell_text(value: float, unit: Unit) -> str:
    """A value as tables show it; a dash where there is none."""
    if math.isnan(value):
        return "-"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "count":
        return f"{value:,.0f}" if value == int(value) or value > 1000 else f"{value:,.2f}"
    if unit == "tokens":
        return f"{value:,.1f}"
    if unit == "seconds":
        return f"{value:.2f} s"
    return f"{value:.2g}" if unit == "log" else f"{value:.4g}"


def tick_text(value: float, unit: Unit) -> str:
    """A round value as an axis shows it: 0.2 → '20%', 1500000 → '1.5M', 1e-7 → '10⁻⁷'."""
    if unit == "log":
        return "10" + str(round(math.log10(value))).translate(SUPERSCRIPTS)
    if unit == "share":
        return f"{100 * value:.6g}%"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.6g}{letter}"
    return f"{value:,.6g}" + (" s" if unit == "seconds" else "")


def _visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
