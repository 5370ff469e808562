"""A floating-point look at two expressions, to tell most wrong answers from the gold one.

It refutes only; agreement is for sympy to confirm. So an expression that both sides must pass
has been read by two independent parsers.
"""

from __future__ import annotations

import cmath
import math
import re
import zlib

MAX_TOKENS = 200
MAX_DEPTH = 20
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|\\[a-zA-Z]+|[a-zA-Z]|\S)")
_FUNCTIONS = {
    "\\sin": cmath.sin, "\\cos": cmath.cos, "\\tan": cmath.tan, "\\ln": cmath.log,
    "\\log": None, "\\exp": cmath.exp,
}  # fmt: skip
_CONSTANTS = {"\\pi": cmath.pi, "e": cmath.e, "i": 1j}
_GREEK = {
    "\\alpha", "\\beta", "\\gamma", "\\delta", "\\epsilon", "\\theta", "\\lambda", "\\mu",
    "\\nu", "\\rho", "\\sigma", "\\tau", "\\phi", "\\omega", "\\Phi",
}  # fmt: skip


class Unknown(Exception):
    """Something that this small reader does not know, or a value that is no number."""


def surely_different(gold: str, answer: str) -> bool:
    """Whether two normalised scalars differ at some point. False also means: cannot say."""
    try:
        pairs = [(value(gold, seed), value(answer, seed)) for seed in (1, 2)]
    except (Unknown, ArithmeticError, ValueError):
        return False
    return any(abs(a - b) > 1e-6 * max(abs(a), abs(b), 1e-6) for a, b in pairs)


def value(text: str, seed: int = 1) -> complex:
    """The value, where each variable is a fixed number between 1/2 and 2. Raises Unknown."""
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

    def function(self, name: str) -> complex:
        call = _FUNCTIONS[name]
        if call is None or self.next() not in ("(", "{"):
            raise Unknown(name)  # bases, powers and arguments without parentheses
        return call(self.group(")" if self.next() == "(" else "}"))

    def variable(self, name: str) -> complex:
        if self.next() == "_":
            self.take()
            name += "_" + self.take()
            if name.endswith("{"):
                raise Unknown(name)
        # f(x) is read as a product. That refutes soundly: it is one of the functions f may be.
        spread = zlib.crc32(f"{self.seed}{name}".encode()) / 2**32
        return 0.5 + 1.5 * spread
