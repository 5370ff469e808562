"""Untrusted text does nothing but be read."""

from __future__ import annotations

import io
import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from srpo.report.plain import (
    Unit,
    cell_text,
    duration,
    one_line,
    printable,
    short_count,
    tick_text,
)

ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@given(ANY)
def test_printable_leaves_nothing_that_acts(text: str):
    shown = printable(text)
    shown.encode("utf-8")
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in "\n\t" for c in shown)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("\n\t")))
def test_ordinary_text_stays_as_it_is(text: str):
    assert printable(text) == text


def test_escapes_are_visible():
    assert printable("a\x1b[2Jb\x9b\x07") == "a\\x1b[2Jb\\x9b\\x07"
    assert printable("abc\u202etxt\ud800") == "abc\\u202etxt\\ud800"


@given(ANY)
def test_a_terminal_gets_no_escape_sequence(text: str):
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system=None, width=60).print(Text(printable(text)))
    assert not set(out.getvalue()) & set("\x1b\x07\x08\x9b\r")


@given(ANY, st.integers(2, 50))
def test_one_line(text: str, width: int):
    line = one_line(text, width)
    assert len(line) <= width
    assert "\n" not in line


def test_duration():
    given_ = (3.5, 59.6, 250, 7300, 200_000)
    assert [duration(s) for s in given_] == ["4s", "1m00s", "4m10s", "2h01m", "2d07h"]


@pytest.mark.parametrize(
    ("value", "unit", "cell", "tick"),
    [
        (0.25, "share", "25.0%", "25%"),
        (0.002, "share", "0.2%", "0.2%"),
        (1500000.0, "count", "1,500,000", "1.5M"),
        (20000.0, "count", "20,000", "20k"),
        (2.5, "seconds", "2.50 s", "2.5 s"),
        (1e-7, "log", "1e-07", "10⁻⁷"),
        (1234.0, "count", "1,234", "1,234"),
        (-0.00012345, "number", "-0.0001234", "-0.00012345"),
        (0.5, "number", "0.5", "0.5"),
    ],
)
def test_numbers(value: float, unit: Unit, cell: str, tick: str):
    assert cell_text(value, unit) == cell
    assert tick_text(value, unit) == tick
    assert cell_text(math.nan, unit) == "-"


def test_short_counts():
    assert [short_count(n) for n in (0, 999, 1234, 2_310_000, 5e9)] == [
        "0",
        "999",
        "1.23k",
        "2.31M",
        "5G",
    ]
