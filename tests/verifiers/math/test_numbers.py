"""The exact fast path for plain numbers, and answer extraction."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpo.verifiers.math.numbers import equal_numbers, parse_number

integers = st.integers(-(10**30), 10**30)
positive = st.integers(1, 10**9)
spellings = st.sampled_from(["{}", "${}$", " {} ", "\\({}\\)", "{}.", "\\[ {} \\]"])


@given(integers, spellings)
def test_integers_in_every_spelling(number: int, spelling: str) -> None:
    for text in (f"{number}", f"{number:,}", f"{number:,}".replace(",", "{,}"), f"{number}.00"):
        if spelling == "{}." and "." in text:
            continue
        assert equal_numbers(str(number), spelling.format(text)) is True
    assert equal_numbers(str(number), str(number + 1)) is False


@given(integers, positive, positive)
def test_fractions(above: int, below: int, factor: int) -> None:
    sign = "-" if above < 0 else ""
    top = abs(above)
    plain = f"{above}/{below}"
    for command in ("\\frac", "\\dfrac", "\\tfrac"):
        latex = f"{sign}{command}{{{top * factor}}}{{{below * factor}}}"
        assert equal_numbers(plain, latex) is True
    assert equal_numbers(plain, f"{above * 2 + 1}/{below * 2}") is False
    parsed = parse_number(plain)
    assert parsed is not None
    assert parsed[0] == Fraction(above, below)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_decimals(number) -> None:
    text = f"{number:f}"
    assert equal_numbers(text, f"{number:,f}") is True
    assert equal_numbers(text, f"{text}000") is True
    assert equal_numbers(text, str(Fraction(text))) is True


@settings(max_examples=300)
@given(st.text(alphabet="0123456789,./-+ \\frac{}$%e^xa", max_size=30))
def test_any_text_is_a_number_or_not(text: str) -> None:
    equal = equal_numbers(text, text)
    assert equal in (True, None)


@pytest.mark.parametrize(
    ("gold", "answer", "equal"),
    [
        ("0.5", "\\frac12", True),
        ("1234", "1,234", True),
        ("1234", "1\\,234", True),
        ("5", "\\$5", True),
        ("-3", "\N{MINUS SIGN}3", True),
        (".5", "0.50", True),
        ("1234", "12,34", None),
        ("1234", "1, 234", None),
        ("5", "5\\%", None),
        ("5", "x=5", None),
        ("5", "1/0", None),
        ("1/3", "0.333333", True),
        ("1/3", "0.33333", False),
        ("2/3", "0.666666", True),
        ("2/3", "0.666668", False),
        ("1/7", "0.00142857", False),
        ("0.1", "0.30000000000000004", False),
        ("0.3", "0.30000000000000004", True),
        ("5/2", "2\\frac{1}{2}", True),
        ("2 1/2", "21/2", False),
        ("1/3", "0.\\overline{3}", True),
        ("7/30", "0.2\\overline{3}", True),
        ("0.00035", "3.5\\times 10^{-4}", True),
        ("350", "3.5e2", True),
        ("1", "10^{999999999}", None),
        ("1234", "1,2345", None),
        ("0111", "0,111", None),
        ("1/4", "0.26", False),
        ("5", "\u0665", None),
        ("7", "9" * 10_000, None),
    ],
)
def test_cases(gold: str, answer: str, equal: bool | None) -> None:
    assert equal_numbers(gold, answer) is equal
