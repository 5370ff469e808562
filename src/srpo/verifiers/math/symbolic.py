"""Scalars and relations compared with sympy. Only workers import this: it may run for ever.

Two expressions are equal when they take the same values, computed to 30 digits, at fixed
points; a difference of expressions that have no values there must cancel symbolically.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Any

import sympy
from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, NormalizationConfig

from srpo.verifiers.math.answer import Answer
from srpo.verifiers.math.latex import canonical
from srpo.verifiers.math.numbers import close_enough, equal_numbers, parse_number

DIGITS = 30
_LATEX = NormalizationConfig(
    basic_latex=False, units=False, malformed_operators=False, nits=False, boxed="none"
)
_READING = ConversionConfig(lowercase_symbols=False)


_SUBSCRIPT = re.compile(r"_(?:\{[^{}]*\\[^{}]*\}|\\[a-zA-Z]+)")  # R_{\odot}
_TWO_NUMBERS = re.compile(r"(?<![_^\d.])[\d.]+\s+\d")  # 1 2 is no product
_NUMBER_SUBSCRIPT = re.compile(r"[\d)}\]]\s*_")  # the parser would drop it
_DEGREES = re.compile(r"(\d+)\s*\^\\circ")
_DECIMAL = re.compile(r"(\d*)\.(\d+)")


class Unreadable(Exception):
    """Not mathematics to latex2sympy."""


@lru_cache(maxsize=2048)
def parse(text: str) -> Any:
    """A sympy expression or matrix. Raises Unreadable."""
    if '"' in text or not text or _TWO_NUMBERS.search(text) or _NUMBER_SUBSCRIPT.search(text):
        raise Unreadable(text)
    text = _DEGREES.sub(r"(\\frac{\1\\pi}{180})", text)
    text = text.replace("^\\circ", "\\cdot \\frac{\\pi}{180}").replace("'", "^{\\prime}")
    text = _DECIMAL.sub(_as_fraction, text)
    text = _SUBSCRIPT.sub(lambda m: f"_{{{zlib.crc32(m[0].encode())}}}", text)
    try:
        expression: Any = latex2sympy(text, normalization_config=_LATEX, conversion_config=_READING)
        expression = expression.doit()
    except (Exception, RecursionError) as error:
        raise Unreadable(f"{text[:80]}: {type(error).__name__}") from error
    if not isinstance(expression, sympy.Expr | sympy.MatrixBase):
        raise Unreadable(text[:80])
    symbols: Any = expression.free_symbols
    names = {s: sympy.I if s.name == "i" else sympy.Symbol(s.name) for s in symbols}
    return expression.xreplace(names)


def _as_fraction(decimal: re.Match[str]) -> str:
    """Exact: sympy would take the root of a decimal in 15 digits."""
    return f"\\frac{{{int(decimal[1] + decimal[2])}}}{{{10 ** len(decimal[2])}}}"


def warm_up() -> None:
    """Build the parser's tables and sympy's caches once, before anybody waits."""
    same_function(parse("x^2 + \\frac{1}{2}"), parse("\\frac{2x^2 + 1}{2}"))


class SympyLeaves:
    """The `Leaves` of the workers. `digits` as for MathVerifier."""

    def __init__(self, digits: int) -> None:
        self._digits = digits

    def scalars(self, gold: str, answer: str) -> bool:
        if canonical(gold) == canonical(answer):
            return True
        plain = equal_numbers(gold, answer, self._digits)
        if plain is not None:
            return plain
        try:
            left, right = parse(gold), parse(answer)
        except Unreadable:
            return False
        if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
            return same_matrix(left, right)
        if not left.free_symbols and not right.free_symbols:
            return self._numbers(gold, answer, left, right)
        return same_function(left, right)

    def _numbers(self, gold: str, answer: str, left: Any, right: Any) -> bool:
        if same_function(left, right):
            return True
        for text, other in ((gold, right), (answer, left)):
            number = parse_number(text)
            if number is not None and number[1]:
                value = sympy.N(other, DIGITS)
                if value.is_real and close_enough(text, sympy.Rational(str(value)), self._digits):
                    return True
        return False

    def relations(self, gold: Answer, answer: Answer) -> bool:
        try:
            left, right = _difference(gold), _difference(answer)
        except Unreadable:
            return False
        flipped = gold.marks[0] != answer.marks[0]
        if not left.free_symbols or left.free_symbols != right.free_symbols:
            return False
        factor = ratio(left, -right if flipped else right)
        if factor is None or abs(factor) < sympy.Float("1e-12"):
            return False
        return gold.marks[0] in "=≠≈" or bool(factor.is_real and factor > 0)


def _difference(relation: Answer) -> Any:
    left, right = (parse(item.text) for item in relation.items)
    if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
        raise Unreadable("a matrix")
    return left - right


def same_matrix(left: Any, right: Any) -> bool:
    """Equal shapes, and equal functions cell by cell; what is no matrix is not the same."""
    if not (isinstance(left, sympy.MatrixBase) and isinstance(right, sympy.MatrixBase)):
        return False
    cells = zip(left.flat(), right.flat(), strict=True) if left.shape == right.shape else None
    return cells is not None and all(same_function(a, b) for a, b in cells)


def same_function(left: Any, right: Any) -> bool:
    """Equal wherever both are real (where neither ever is: everywhere)."""
    if left == right:
        return left is not sympy.nan and not left.has(sympy.zoo)
    pairs = [pair for pair in _values(left, right, hasty=True) if pair is not None]
    if not pairs:
        return sympy.simplify(left - right) == 0
    real = [(a, b) for a, b in pairs if a.is_real and b.is_real]
    return all(_near(a, b) for a, b in (real or pairs))


def ratio(left: Any, right: Any) -> Any:
    """The constant left / right, None when it is not constant."""
    values = [(a / b) for a, b in filter(None, _values(left, right)) if abs(b) > 1e-9]
    if len(values) < 2 or not all(_near(values[0], other) for other in values):
        return None
    return values[0]


def _near(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= sympy.Float("1e-20") * max(abs(a), abs(b), sympy.Float("1e-40")))


def _values(left: Any, right: Any, hasty: bool = False) -> list[tuple[Any, Any] | None]:
    """The pair of values at each point; None where one of them is no finite number.
    `hasty` ends at the first difference."""
    names = sorted(left.free_symbols | right.free_symbols, key=str)
    pairs: list[tuple[Any, Any] | None] = []
    for point in range(5 if names else 1):
        at = {name: _coordinate(point, index) for index, name in enumerate(names)}
        a, b = (sympy.N(side.xreplace(at), DIGITS) for side in (left, right))
        finite = all(v.is_number and v.is_finite and v.is_comparable is not None for v in (a, b))
        finite = finite and all(
            isinstance(p, sympy.Float | sympy.Integer | sympy.Rational)
            for v in (a, b)
            for p in v.as_real_imag()
        )
        pairs.append((a, b) if finite else None)
        if hasty and finite and a.is_real and b.is_real and not _near(a, b):
            break  # most wrong answers end here
    return pairs


def _coordinate(point: int, index: int) -> Any:
    """Fixed, irregular, of both signs: the third and fifth points are negative."""
    numerator = (7919 * (point + 2) + 104729 * (index + 1) * (point + 1)) % 9973 + 2500
    return sympy.Rational(-numerator if point in (2, 4) else numerator, 4999 + 2 * point)
