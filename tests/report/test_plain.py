"""Untrusted text does nothing but be read."""

from __future__ import annotations

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from srpo.report.plain import duration, one_line, printable

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
