"""A floating-point look at two expressions, to tell most wrong answers from the gold one.

It refutes only; agreement is for sympy to confirm. So an expression that both sides must pass
has been read by two independent parsers.
"""

from __future__ import annotations

import cmath
import math
import re
import zlib
from collections.abc import Sequence

from srpo.verifiers.math.numbers import parse_number

MAX_TOKENS = 200
MAX_DEPTH = 20
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|\\[a-zA-Z]+|[a-zA-Z]|\S)")
_FUNCTIONS = {
    "\\sin": cmath.sin, "\\cos": cmath.cos, "\\tan": cmath.tan, "\\ln": cmath.log,
    "\\log": cmath.log10, "\\exp": cmath.exp, "\\sec": lambda z: 1 / cmath.cos(z),
    "\\csc": lambda z: 1 / cmath.sin(z), "\\cot": lambda z: 1 / cmath.tan(z),
    "\\sinh": cmath.sinh, "\\cosh": cmath.cosh, "\\tanh": cmath.tanh,
    "\\arcsin": cmath.asin, "\\arccos": cmath.acos, "\\arctan": cmath.atan,
}  # fmt: skip
_CONSTANTS = {"\\pi": cmath.pi, "e": cmath.e, "i": 1j}
_GREEK = {
    "\\alpha", "\\beta", "\\gamma", "\\delta", "\\epsilon", "\\theta", "\\lambda", "\\mu",
    "\\nu", "\\rho", "\\sigma", "\\tau", "\\phi", "\\omega", "\\Phi",
}  # fmt: skip


class Unknown(Exception):
    """Something that this small reader does not know, or a value that is no number."""


def surely_different(gold: str, answer: str, tolerance: float = 1e-6) -> bool:
    """Whether two normalised scalars differ at some point. False also means: cannot say."""
    try:
        pairs = [(value(gold, seed), value(answer, seed)) for seed in (1, 2)]
    except (Unknown, ArithmeticError, ValueError):
        return False
    return any(abs(a - b) > tolerance * max(abs(a), abs(b), 1e-6) for a, b in pairs)


def surely_other_relation(gold: Sequence[str], answer: Sequence[str]) -> bool:
    """Whether the two sides' difference is no constant times the other relation's."""
    try:
        first, second = (_differences(gold, answer, seed) for seed in (1, 2))
    except (Unknown, ArithmeticError, ValueError):
        return False
    a, b = first[0] * second[1], first[1] * second[0]
    return abs(a - b) > 1e-6 * max(abs(a), abs(b))


def _differences(gold: Sequence[str], answer: Sequence[str], seed: int) -> list[complex]:
    differences: list[complex] = []
    for left, right in (gold, answer):
        sides = value(left, seed), value(right, seed)
        difference = sides[0] - sides[1]
        if abs(difference) < 1e-4 * max(abs(side) for side in sides) or not difference:
            raise Unknown("cancellation")
        differences.append(difference)
    return differences


def value(text: str, seed: int = 1) -> complex:
    """The value, where each variable is a fixed number between 1/2 and 2. Raises Unknown."""
    if plain := parse_number(text):
        return complex(float(plain[0]))
    tokens = _TOKEN.findall(text)
    if len(tokens) > MAX_TOKENS:
        raise Unknown("long")
    reader = _Reader(tokens, seed)
    result = reader.sum()
    if reader.at < len(tokens) or not cmath.isfinite(result):
        raise Unknown(text)
    if reader.peak > 1e8 * max(abs(result), 1e-300):
        raise Unknown("cancellation")
    return result


class _Reader:
    def __init__(self, tokens: list[str], seed: int) -> None:
        self.tokens, self.seed, self.at, self.depth, self.peak = tokens, seed, 0, 0, 0.0

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next()
        if not token or (expected and token != expected):
            raise Unknown(token)
        self.at += 1
        return token

    def sum(self) -> complex:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unknown("deep")
        total = self.product() if self.next() not in ("+", "-") else 0
        while self.next() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total += sign * self.product()
            self.peak = max(self.peak, abs(total))
        self.depth -= 1
        return total

    def product(self) -> complex:
        sign = 1
        while self.next() in ("+", "-"):
            sign = -sign if self.take() == "-" else sign
        result = self.power()
        while (token := self.next()) and token not in "+-)]}|,=":
            if token == "\\cdot":
                self.take()
                result *= -self.power() if self.next() == "-" and self.take() else self.power()
            elif token == "/":
                self.take()
                result /= self.power()
            elif token[0].isdigit():
                raise Unknown("a digit after a factor")
            else:
                result *= self.power()
            self.peak = max(self.peak, abs(result))
        return sign * result

    def power(self) -> complex:
        mixed = self.next().isdigit()
        base = self.atom()
        if mixed and self.next() == "\\frac":
            raise Unknown("perhaps a mixed number")
        while self.next() == "^":
            self.take()
            if self.next() == "\\circ":
                self.take()
                base *= math.pi / 180
            else:
                base = base ** self.argument()
        if self.next() == "!":
            self.take()
            base = complex(math.gamma(1 + base.real)) if not base.imag else cmath.nan
        if self.next() in ("!", "'"):
            raise Unknown(self.next())
        return base

    def argument(self) -> complex:
        """What follows ^, \\frac or \\sqrt: a group, or one single token."""
        if self.next() == "{":
            return self.group("}")
        if self.next() == "-":
            raise Unknown("-")
        if len(self.next()) > 1 and self.next()[0] != "\\":
            raise Unknown("several digits")
        return self.atom()

    def group(self, close: str) -> complex:
        self.take()
        inside = self.sum()
        self.take(close)
        return inside

    def atom(self) -> complex:
        token = self.next()
        if token in ("(", "{"):
            return self.group(")" if token == "(" else "}")
        self.take()
        if token[0].isdigit() or token[0] == ".":
            return complex(float(token))
        if token == "\\frac":
            above = self.argument()
            return above / self.argument()
        if token == "\\sqrt":
            return self.root()
        if token == "\\binom":
            return self.binomial()
        if token == "|":
            inside = abs(self.sum())
            self.take("|")
            return complex(inside)
        if token in _FUNCTIONS:
            return self.function(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if (len(token) == 1 and token.isalpha() and token.isascii()) or token in _GREEK:
            return self.variable(token)
        raise Unknown(token)

    def root(self) -> complex:
        if self.next() != "[":
            return cmath.sqrt(self.argument())
        degree = self.group("]")
        return self.argument() ** (1 / degree)

    def binomial(self) -> complex:
        above, below = self.argument(), self.argument()
        if above != int(above.real) or below != int(below.real):
            raise Unknown("a binomial of no integers")
        return complex(math.comb(int(above.real), int(below.real)))

    def function(self, name: str) -> complex:
        call = _FUNCTIONS[name]
        base, power = None, 1 + 0j
        if self.next() == "_":
            self.take()
            base = cmath.log(self.argument())
        if self.next() == "^":
            self.take()
            power = self.argument()
            if power.real <= 0 or power.imag:
                raise Unknown("an inverse")
        if base is not None and name != "\\log":
            raise Unknown(name)
        result = call(self.function_argument())
        if base is not None:
            result *= math.log(10) / base
        return result**power

    def function_argument(self) -> complex:
        """In parentheses, or the factors up to an operator or another function."""
        if self.next() in ("(", "{"):
            inside = self.group(")" if self.next() == "(" else "}")
            if self.next() == "^":
                raise Unknown("of the function, or of its argument")
            return inside
        result = self.power()
        while (token := self.next()) and token not in "+-)]}|,=" and token not in _FUNCTIONS:
            if token in ("\\cdot", "/", "(", "|") or token[0].isdigit():
                raise Unknown("where the argument ends")
            result *= self.power()
        return result

    def variable(self, name: str) -> complex:
        if self.next() == "_":
            self.take()
            name += "_" + self.take()
            if name.endswith("{"):
                raise Unknown(name)
        # f(x) is read as a product. That refutes soundly: it is one of the functions f may be.
        spread = zlib.crc32(f"{self.seed}{name}".encode()) / 2**32
        return 0.5 + 1.5 * spread
