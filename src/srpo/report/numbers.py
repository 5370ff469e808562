"""Numbers of the report page: as cells of its tables, and short for a chart's axis."""

from __future__ import annotations

import math

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def cell_text(value: float, unit: str) -> str:
    """A value as its table shows it; a dash where there is none."""
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
    return f"{value:.2g}" if unit == "log" else f"{value:.3f}"


def tick_text(value: float, unit: str) -> str:
    """A round value as an axis shows it: 0.2 → '20%', 1500000 → '1.5M', 1e-7 → '10⁻⁷'."""
    if unit == "log":
        return "10" + str(round(math.log10(value))).translate(SUPERSCRIPTS)
    if unit == "share":
        return f"{100 * value:.6g}%"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.6g}{letter}"
    return f"{value:.6g}" + (" s" if unit == "seconds" else "")
