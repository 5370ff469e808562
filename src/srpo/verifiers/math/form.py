"""Whether an answer is written as an answer, or is the computation that was asked for."""

from __future__ import annotations

import re

from srpo.verifiers.math.numbers import parse_number

_COMMAND = re.compile(r"\\([a-zA-Z]+)|[!|\"]")
_BASIC = {"frac", "sqrt", "overline", "pi", "cdot", "circ", "infty"}
_VARIABLE = re.compile(r"(?<![a-zA-Z\\])[a-df-hj-zA-Z]|[a-zA-Z]{2}")
_NUMERAL = re.compile(r"(?:\\(?:frac|sqrt|overline|pi)(?![a-zA-Z])|[\d.,/^{}()\[\]\s+-])*")
_OPERATION = re.compile(  # a sum or difference, or two factors side by side, but for 2\sqrt{2}
    r"[\d.)}\]]\s*[-+(]|\)\s*[\d\\{]|[\d}]\s*\\frac|\}\s*(?:\\sqrt|\d)|\\pi\s*[-+(]"
)


def unevaluated(gold: str, answer: str) -> bool:
    """Whether the normalised scalar `answer` still has an operation to carry out.

    Beside a plain number only fractions, roots and powers of numbers are answers; beside
    another constant without functions (sines, sums, factorials ...), what has none either.
    """
    if parse_number(gold) is not None:
        if parse_number(answer) is not None:
            return False
        return not _NUMERAL.fullmatch(answer) or _OPERATION.search(answer) is not None
    return _basic(gold) and not _VARIABLE.search(_COMMAND.sub(" ", gold)) and not _basic(answer)


def _basic(text: str) -> bool:
    return {found[1] for found in _COMMAND.finditer(text)} <= _BASIC
