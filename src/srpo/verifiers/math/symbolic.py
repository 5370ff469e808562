"""Scalars and relations compared with sympy. Only workers import this: it may run for ever.

Two expressions are equal when they take the same values at fixed points: exactly where these
are rational, and otherwise to more digits than their sizes account for. A difference of
expressions that have no values there must cancel symbolically.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy
from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, NormalizationConfig

from srpo.verifiers.math.answer import Answer, Kind
from srpo.verifiers.math.compare import as_interval, distribute_name
from srpo.verifiers.math.latex import canonical
from srpo.verifiers.math.numbers import (
    close_enough,
    equal_numbers,
    parse_number,
    significant_digits,
)

DIGITS = 30
SPARE_DIGITS = 50  # beyond those of the numbers themselves
MAX_SIZE = 3000  # digits; larger irrational constants must cancel symbolically
_ROUGH = (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit)  # 30 digits are all they have
_LATEX = NormalizationConfig(
    basic_latex=False, units=False, malformed_operators=False, nits=False, boxed="none"
)
_READING = ConversionConfig(lowercase_symbols=False)


_SUBSCRIPT = re.compile(r"_(?:\{[^{}]*\\[^{}]*\}|\\[a-zA-Z]+)")  # R_{\odot}
_TWO_NUMBERS = re.compile(r"(?<![_^\d.])[\d.]+\s+\d")  # 1 2 is no product
_NUMBER_SUBSCRIPT = re.compile(r"[\d)}\]]\s*_")  # the parser would drop it
_DEGREES = re.compile(r"(\d+)\s*\^\\circ")
_MINUTES = re.compile(r"(\d+)\s*\^\\circ\s*(\d+)'(?!')(?:\s*(\d+)'')?")
_PRIMED = re.compile(r"((?<![a-zA-Z])[a-zA-Z]|\\[a-zA-Z]+)(?:_(?:\w|\{[^{}]*\}))?\s*'+")
_DECIMAL = re.compile(r"(\d*)\.(\d+)")


class Unreadable(Exception):
    """Not mathematics to latex2sympy."""


@lru_cache(maxsize=2048)
def parse(text: str) -> Any:
    """A sympy expression or matrix. Raises Unreadable."""
    if '"' in text or not text or _TWO_NUMBERS.search(text) or _NUMBER_SUBSCRIPT.search(text):
        raise Unreadable(text)
    text = _MINUTES.sub(_as_degrees, text)
    text = _DEGREES.sub(r"(\\frac{\1\\pi}{180})", text)
    text = text.replace("^\\circ", "\\cdot \\frac{\\pi}{180}")
    text = _PRIMED.sub(lambda m: f"{m[1]}_{{{zlib.crc32(m[0].encode())}}}", text)
    if "'" in text:
        raise Unreadable(text)  # the parser takes exponential time over it
    text = _DECIMAL.sub(_as_fraction, text)
    text = _SUBSCRIPT.sub(lambda m: f"_{{{zlib.crc32(m[0].encode())}}}", text)
    try:
        expression: Any = latex2sympy(text, normalization_config=_LATEX, conversion_config=_READING)
        expression = _done(expression)
    except (Exception, RecursionError) as error:
        raise Unreadable(f"{text[:80]}: {type(error).__name__}") from error
    if not isinstance(expression, sympy.Expr | sympy.MatrixBase):
        raise Unreadable(text[:80])
    symbols: Any = expression.free_symbols
    names = {s: sympy.I if s.name == "i" else sympy.Symbol(s.name) for s in symbols}
    return expression.xreplace(names)


def _done(expression: Any) -> Any:
    """Worked out, but for series with a variable: sympy takes seconds, and gives conditions."""
    series = [s for s in expression.atoms(sympy.Sum) if s.free_symbols and s.has(sympy.oo)]
    if not series:
        return expression.doit()
    for one in series:
        index = one.variables[0].name
        if any(re.search(rf"_.*{re.escape(index)}", s.name) for s in one.free_symbols):
            raise Unreadable(f"a coefficient for each {index}")
    return expression


def _as_degrees(angle: re.Match[str]) -> str:
    seconds = 3600 * int(angle[1]) + 60 * int(angle[2]) + int(angle[3] or 0)
    return f"(\\frac{{{seconds}\\pi}}{{648000}})"


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
                value = sympy.N(other, max(DIGITS, significant_digits(text) + 10))
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

    def sets(self, gold: Answer, answer: Answer) -> bool:
        try:
            return same_set(real_set(gold), real_set(answer))
        except Unreadable:
            return False


def _difference(relation: Answer) -> Any:
    left, right = (parse(item.text) for item in relation.items)
    if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
        raise Unreadable("a matrix")
    return left - right


def real_set(answer: Answer, name: str = "") -> Any:
    """The sympy set of what `answer` describes: an interval, a union, x ≠ 2, {x | x > 2}, or
    conditions about `name`. Raises Unreadable."""
    match answer.kind:
        case Kind.BRACKETS if len(answer.items) == 2:
            return _interval(answer)
        case Kind.SET:
            return sympy.FiniteSet(*(_real(item) for item in answer.items))
        case Kind.UNION:
            return sympy.Union(*(real_set(item) for item in answer.items))
        case Kind.MINUS:
            return real_set(answer.items[0]) - real_set(answer.items[1])
        case Kind.BUILDER:
            whole = [real_set(answer.items[0], answer.marks[0]), sympy.S.Reals]
            whole += [real_set(domain) for domain in answer.items[1:]]
            return sympy.Intersection(*whole)
        case Kind.RELATION:
            return _solutions(answer, name)
        case Kind.LIST:
            each = [real_set(item, name) for item in distribute_name(answer.items)]
            if set(answer.marks) == {"or"}:
                return sympy.Union(*each)
            if "or" not in answer.marks:
                return sympy.Intersection(*each)
    raise Unreadable(answer.text)


def _interval(answer: Answer) -> Any:
    low, high = (_real(item) for item in answer.items)
    if (high - low).is_extended_positive is False:
        raise Unreadable(answer.text)
    return sympy.Interval(low, high, answer.marks[0] == "(", answer.marks[1] == ")")


def _real(item: Answer) -> Any:
    value = parse(item.text)
    if item.kind is not Kind.SCALAR or item.unit or value.is_extended_real is False:
        raise Unreadable(item.text)
    return value


def _solutions(relation: Answer, name: str) -> Any:
    """Of an inequality, equation or membership that is solved for its name."""
    items, marks = relation.items, relation.marks
    names = {item.key for item in items if re.fullmatch("[a-zA-Z]", item.key)}
    if (name and name not in names) or not names:
        raise Unreadable(relation.text)
    if interval := as_interval(relation, name):
        return _interval(interval)
    if len(items) != 2 or items[0].key not in names:
        raise Unreadable(relation.text)
    match marks[0]:
        case "≠":
            return sympy.S.Reals - sympy.FiniteSet(_real(items[1]))
        case "=":
            return sympy.FiniteSet(_real(items[1]))
        case "∈":
            return real_set(items[1])
    raise Unreadable(relation.text)


def same_set(left: Any, right: Any) -> bool:
    """Piece by piece where sympy does not see it: ends may be written in two ways."""
    if left == right:
        return True
    if not (isinstance(left, sympy.Union) and isinstance(right, sympy.Union)):
        return _same_piece(left, right)
    pieces = [sorted(side.args, key=sympy.default_sort_key) for side in (left, right)]
    return len(pieces[0]) == len(pieces[1]) and all(
        any(_same_piece(one, other) for other in pieces[1]) for one in pieces[0]
    )


def _same_piece(left: Any, right: Any) -> bool:
    if not (isinstance(left, sympy.Interval) and isinstance(right, sympy.Interval)):
        return left == right
    open_ends = (left.left_open, left.right_open) == (right.left_open, right.right_open)
    return bool(open_ends) and all(
        a == b or same_function(a, b) for a, b in ((left.start, right.start), (left.end, right.end))
    )


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
    points = [point for point in _points(left, right, hasty=True) if point is not None]
    if not points:
        return sympy.simplify(left - right) == 0
    real = [point for point in points if point.is_real]
    return all(point.maybe_equal for point in real or points) and all(
        equal_constants(point.left, point.right) for point in real or points
    )


def equal_constants(left: Any, right: Any) -> bool:
    """Rational numbers exactly. All others to so many digits that their sizes, and those of
    their parts, leave no room for another value: 2^{1000} + \\sqrt{2} has more than 300."""
    difference = left - right
    if difference.is_Rational or difference.has(*_ROUGH):
        return difference == 0 or difference.has(*_ROUGH)
    size = _size(left) + _size(right)
    if size > MAX_SIZE:
        return sympy.expand(difference) == 0
    digits = 2 * (SPARE_DIGITS + size)
    a, b = (side.evalf(digits, maxn=2 * digits) for side in (left, right))
    bound = sympy.Float(10, digits) ** -(SPARE_DIGITS + size)
    return all(abs(part) < bound for part in (a - b).as_real_imag())


def _size(constant: Any) -> int:
    """Decimal digits of the numbers in it, and of the powers and functions of them."""
    digits = 0
    parts: Any = sympy.preorder_traversal(constant)
    for part in parts:
        if part.is_Rational:
            digits += len(str(abs(part.p))) + len(str(part.q)) if _short(part) else MAX_SIZE
        elif part.is_Pow or part.is_Function:
            magnitude = abs(part.evalf(5))
            if magnitude.is_Float and magnitude != 0:
                digits += abs(int(sympy.log(magnitude, 10).evalf(5)))
    return digits


def _short(number: Any) -> bool:
    """Python refuses to print integers of more than 4300 digits."""
    return max(int(abs(number.p)).bit_length(), int(number.q).bit_length()) < 4 * MAX_SIZE


def ratio(left: Any, right: Any) -> Any:
    """The constant left / right, None when it is not constant."""
    points = [point for point in _points(left, right) if point and abs(point.values[1]) > 1e-9]
    if len(points) < 2:
        return None
    first = points[0]
    for other in points[1:]:
        cross = _Point(left=other.left * first.right, right=other.right * first.left)
        if not cross.maybe_equal or not equal_constants(cross.left, cross.right):
            return None
    return first.values[0] / first.values[1]


@dataclass
class _Point:
    """Two constants: an expression's and another's at one point."""

    left: Any
    right: Any

    @cached_property
    def values(self) -> tuple[Any, Any]:
        """Of 30 digits."""
        return sympy.N(self.left, DIGITS), sympy.N(self.right, DIGITS)

    @property
    def is_finite(self) -> bool:
        return all(
            v.is_number and v.is_finite and all(part.is_Number for part in v.as_real_imag())
            for v in self.values
        )

    @property
    def is_real(self) -> bool:
        a, b = self.values
        return bool(a.is_real and b.is_real)

    @property
    def maybe_equal(self) -> bool:
        """False is certain; what looks like 0 may be what cancellation left of it."""
        a, b = self.values
        size = max(abs(a), abs(b))
        return bool(size < sympy.Float("1e-25") or abs(a - b) <= sympy.Float("1e-20") * size)


def _points(left: Any, right: Any, hasty: bool = False) -> list[_Point | None]:
    """The pair of values at each point; None where one of them is no finite number.
    `hasty` ends at the first difference."""
    names = sorted(left.free_symbols | right.free_symbols, key=str)
    series = left.has(sympy.Sum) or right.has(sympy.Sum)
    count, scale = (3, 8) if series else (5, 1)  # few, as they are slow, where series converge
    points: list[_Point | None] = []
    for number in range(count if names else 1):
        at = {name: _coordinate(number, index) / scale for index, name in enumerate(names)}
        try:
            point = _Point(left.xreplace(at), right.xreplace(at))
            points.append(point if point.is_finite else None)
        except ValueError:  # a series that diverges there
            points.append(None)
            continue
        if hasty and point.is_finite and point.is_real and not point.maybe_equal:
            break  # most wrong answers end here
    return points


def _coordinate(point: int, index: int) -> Any:
    """Fixed, irregular, of both signs: the third and fifth points are negative."""
    numerator = (7919 * (point + 2) + 104729 * (index + 1) * (point + 1)) % 9973 + 2500
    return sympy.Rational(-numerator if point in (2, 4) else numerator, 4999 + 2 * point)
