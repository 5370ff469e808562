"""Nano's mathematics: small exact problems, each with the steps that solve it.

A family is one function `(rng, level) -> MathTask`; levels 1 to 4 grow harder, and 5 to 8, which
are not in the base model's corpus, go on so. The solution is written once, as `solve(do)`: every
intermediate result goes through `do(expression, value)`, which returns the value to go on with.
The truth is `do = lambda expression, value: value`; the pretraining corpus passes a `do` that
writes the trace down and sometimes slips, so that a slip carries through to the answer as in real
work.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

LEVELS = (1, 2, 3, 4)
Do = Callable[[str, int], int]


@dataclass(frozen=True)
class MathTask:
    """A question, and the steps that solve it. `solve` is given what writes a step down."""

    family: str
    level: int
    question: str
    solve: Callable[[Do], int]

    @property
    def answer(self) -> int:
        """The true one: every step is what it is."""
        return self.solve(lambda _expression, value: value)


def _add_up(terms: list[int], do: Do) -> int:
    total = terms[0]
    for term in terms[1:]:
        sign = "+" if term >= 0 else "-"
        total = do(f"{total}{sign}{abs(term)}", total + term)
    return total


def _times(a: int, b: int, do: Do) -> int:
    """a*b for a one-digit b, by tens and units."""
    if a < 10 or a % 10 == 0:
        return do(f"{a}*{b}", a * b)
    tens = do(f"{a // 10 * 10}*{b}", a // 10 * 10 * b)
    units = do(f"{a % 10}*{b}", a % 10 * b)
    return do(f"{tens}+{units}", tens + units)


def chain_sum(rng: random.Random, level: int) -> MathTask:
    """A sum of level + 2 numbers, signs mixed; it is never negative on the way."""
    terms = [rng.randint(10, 99)]
    for _ in range(level + 1):
        term = rng.randint(2, 99)
        terms.append(-term if sum(terms) >= term and rng.random() < 0.5 else term)
    text = str(terms[0]) + "".join(f"{t:+d}" for t in terms[1:])
    return MathTask("chain_sum", level, f"Compute {text}.", lambda do: _add_up(terms, do))


def product(rng: random.Random, level: int) -> MathTask:
    """A product by tens and units; at levels 2 and 4 a number is added."""
    a = rng.randint(12, 29 if level == 1 else 99)
    b = rng.randint(3, 9) if level <= 2 else rng.randint(12, 19)
    c = rng.randint(11, 99) if level in (2, 4) else 0

    def solve(do: Do) -> int:
        if b < 10:
            result = _times(a, b, do)
        else:
            part = _times(a, b - 10, do)
            result = do(f"{a * 10}+{part}", a * 10 + part)
        return do(f"{result}+{c}", result + c) if c else result

    tail = f"+{c}" if c else ""
    return MathTask("product", level, f"Compute {a}*{b}{tail}.", solve)


def gcd(rng: random.Random, level: int) -> MathTask:
    """The greatest common divisor of two numbers, by Euclid."""
    g = rng.randint(2, 4 + 3 * level)
    a, b = g * rng.randint(2, 4 + level), g * rng.randint(2, 4 + level)
    a, b = (max(a, b), min(a, b)) if a != b else (a + g, b)

    def solve(do: Do) -> int:
        x, y = a, b
        while y:
            x, y = y, do(f"{x}%{y}", x % y)
        return x

    return MathTask("gcd", level, f"What is gcd({a},{b})?", solve)


def equation(rng: random.Random, level: int) -> MathTask:
    """A linear equation in x: plain, with a bracket (3), with x on both sides (4)."""
    x, a, b = rng.randint(2, 6 + 3 * level), rng.randint(2, 9), rng.randint(2, 40)
    c = rng.randint(2, 9)
    if level <= 2:
        right = a * x + b
        text = f"{a}x+{b}={right}"

        def solve(do: Do) -> int:
            rest = do(f"{right}-{b}", right - b)
            return do(f"{rest}/{a}", rest // a)
    elif level == 3:
        right = a * (x + c) - b
        text = f"{a}(x+{c})-{b}={right}"

        def solve(do: Do) -> int:
            rest = do(f"{right}+{b}", right + b)
            inner = do(f"{rest}/{a}", rest // a)
            return do(f"{inner}-{c}", inner - c)
    else:
        a += c
        right = (a - c) * x + b
        text = f"{a}x+{b}={c}x+{right}"

        def solve(do: Do) -> int:
            slope = do(f"{a}-{c}", a - c)
            rest = do(f"{right}-{b}", right - b)
            return do(f"{rest}/{slope}", rest // max(slope, 1))

    return MathTask("equation", level, f"Solve {text}.", solve)


def remainder(rng: random.Random, level: int) -> MathTask:
    """(a*b+c) by a modulus."""
    a, b = rng.randint(2, 9 + 10 * level), rng.randint(2, 9)
    c, m = rng.randint(2, 20 * level), rng.randint(3, 5 + 2 * level)

    def solve(do: Do) -> int:
        part = _times(a, b, do)
        total = do(f"{part}+{c}", part + c)
        return do(f"{total}%{m}", total % m)

    return MathTask("remainder", level, f"Compute ({a}*{b}+{c})%{m}.", solve)


def brackets(rng: random.Random, level: int) -> MathTask:
    """A sum in brackets times a digit; a second bracket inside from level 3."""
    a, b, c = rng.randint(2, 9 * level), rng.randint(2, 9 * level), rng.randint(2, 9)
    d, e = rng.randint(10, 30), rng.randint(2, 9)

    def solve(do: Do) -> int:
        left = do(f"{a}+{b}", a + b)
        if level >= 3:
            right = do(f"{d}-{e}", d - e)
            left = do(f"{left}+{right}", left + right)
        result = _times(left, c, do)
        return do(f"{result}-{d}", result - d) if level in (2, 4) else result

    inner = f"({a}+{b}+({d}-{e}))" if level >= 3 else f"({a}+{b})"
    tail = f"-{d}" if level in (2, 4) else ""
    return MathTask("brackets", level, f"Compute {inner}*{c}{tail}.", solve)


def digit_sum(rng: random.Random, level: int) -> MathTask:
    """The sum of the level + 2 digits of a number."""
    digits = [rng.randint(1, 9) for _ in range(level + 2)]
    text = "".join(map(str, digits))
    return MathTask(
        "digit_sum", level, f"Add the digits of {text}.", lambda do: _add_up(digits, do)
    )


def pick_and_add(rng: random.Random, level: int) -> MathTask:
    """The sum of the even, or of the odd, among level + 3 numbers."""
    word, parity = rng.choice((("even", 0), ("odd", 1)))
    numbers = [rng.randint(1, 49) for _ in range(level + 3)]
    chosen = rng.sample(range(len(numbers)), 2 + level // 2)  # enough to need adding
    numbers = [n + (n % 2 != parity) if i in chosen else n for i, n in enumerate(numbers)]
    picked = [n for n in numbers if n % 2 == parity]
    listed = ",".join(map(str, numbers))
    return MathTask(
        "pick_and_add",
        level,
        f"Add the {word} numbers in {listed}.",
        lambda do: _add_up(picked, do),
    )


FAMILIES = (
    chain_sum,
    product,
    gcd,
    equation,
    remainder,
    brackets,
    digit_sum,
    pick_and_add,
)
