"""Code that is written to verify mathematics (arXiv 2504.14286, section 5): a program behind an
answer that was reached without it, and whether what it printed is that answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from srpo.verifiers.math.extract import extract_answer

_FENCE = re.compile(r"```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_PYTHON = ("", "python", "py", "python3", "sage", "sympy")
_CODE = re.compile(
    r"^\s*(?:import |from \w+ import|print\(|def \w+\(|for \w+ in |while |if .*:\s*$|assert\b"
    r"|\w+(?:\s*,\s*\w+)*\s*=[^=]|\w+\([^)]*\)\s*$)",
    re.MULTILINE,
)
_OUTPUT = re.compile(
    r"\A[\s:*#>-]*(?:the )?(?:code )?(?:execution )?(?:output|result|prints?|running (?:this|it)"
    r"[^\n`]{0,40}?)\b(?:[^\n`]{0,40}\n+[ \t]*```\w*\n(?P<block>.*?)\n?```|(?P<line>[^\n]+))",
    re.IGNORECASE | re.DOTALL,
)
_STATED = re.compile(
    r"\b(?:answer|result|total|value|sum|product|probability|area|solution|minimum|maximum|number"
    r"|remainder|length)\b[^.\n]{0,60}?(?:is|=|are|equals|be)\s*:?\s*\**\s*\$?\\?\(?"
    r"(?P<value>-?\\?[\w\\{}.,/^()+*-]*\d[\w\\{}.,/^()+*-]*)",
    re.IGNORECASE,
)
_VALUE = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")


@dataclass(frozen=True, slots=True)
class Check:
    """A program of a response that verifies an answer before it.

    start, end   of the program with its fence
    agrees       whether what it printed is the answer; None where the response shows no output, or
                 no answer that could be compared
    """

    start: int
    end: int
    agrees: bool | None


def find_check(text: str) -> Check | None:
    """The first program that stands behind a stated answer; None where there is none. A response
    that has a program before any answer solves by it, and verifies nothing."""
    for found in _FENCE.finditer(text):
        is_python = found[1].lower() in _PYTHON and _CODE.search(found[2])
        if not is_python:
            continue
        answer = _answer(text[: found.start()])
        if answer is None:
            return None
        return Check(found.start(), found.end(), _agrees(answer, text[found.end() :]))
    return None


def _answer(before: str) -> str | None:
    """What a text states as its answer; None: nothing yet."""
    if (boxed := extract_answer(before)) is not None:
        return boxed
    stated = list(_STATED.finditer(before))
    return stated[-1]["value"].rstrip(".,") if stated else None


def _agrees(answer: str, after: str) -> bool | None:
    output = _OUTPUT.match(after)
    if output is None:
        return None
    printed = (output["block"] or output["line"] or "").strip()
    values = [_number(v) for v in _VALUE.findall(printed)]
    wanted = _number(answer)
    if not values or wanted is None:
        return answer.strip() in printed if printed else None
    return any(v is not None and abs(v - wanted) <= 1e-6 * max(1.0, abs(wanted)) for v in values)


def _number(text: str) -> float | None:
    """What a text says as a number; None for what is none."""
    plain = re.sub(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", text).replace(",", "")
    found = _VALUE.fullmatch(plain.strip(" $()\\"))
    if found is None:
        return None
    above, _, below = found[0].partition("/")
    return float(above) / float(below) if below and float(below) else float(above)
