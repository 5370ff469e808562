"""Code that is written to verify mathematics (arXiv 2504.14286, section 5): a program behind an
answer that was reached without it, and whether what it printed is that answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from srpo.verifiers.math.extract import extract_answer

# A fence that names a language opens a block, even where the one before was never closed.
_FENCE = re.compile(
    r"(?:```|~~~)[ \t]*([\w+-]*)[^\n]*(.*?)"
    r"(?:(?=\n[ \t]*(?:```|~~~)[ \t]*\w)|\n[ \t]*(?:```|~~~)|\Z)",
    re.DOTALL,
)
_PYTHON = ("", "python", "py", "python3", "pycon", "sage", "sympy")
_CODE = re.compile(  # what no list of equations has
    r"^[ \t]*(?:>>> ?)?(?:import \w|from \w+ import|print ?\(|def \w+\(|for \w+ in [^\n]*:"
    r"|while [^\n]*:|if [^\n]*:[ \t]*$|assert\b)",
    re.MULTILINE,
)
_ASSIGNED = re.compile(r"[ \t]*(?:#[^\n]*|[A-Za-z_]\w* ?=[^=$\n]*|[\w.]+\([^\n]*\)|)[ \t]*")
_NO_CHECK = re.compile(r"\bplt\.|\bmatplotlib\b|\binput\(")  # a picture, a program for others
_CHECKS = re.compile(
    r"\b(?:verif|check|confirm|test|prove|proof|make sure|simulat)|验证|检查|检验", re.IGNORECASE
)
_OUTPUT = re.compile(
    r"\A[\s:*#>-]*(?:"
    r"(?:(?:(?:the )?(?:code )?(?:execution )?(?:output|result|prints?|running (?:this|it))\b|输出)"
    r"[^\n`]{0,60}\n\s*)?(?:```|~~~)(?!python)\w*\n(?P<block>.*?)(?:\n?[ \t]*(?:```|~~~)|\Z)"
    r"|(?:(?:(?:the|this) )?(?:code )?(?:execution )?"
    r"(?:output|result|prints?|running (?:this|it))\b|输出)"
    r"(?:[^\n`]{0,60}\n\s*```python\n)?(?P<line>[^\n]+)"
    r"|(?P<bare>[$\d][\d.,/]*)[ \t]*(?:\n|\Z))",
    re.IGNORECASE | re.DOTALL,
)
_RIGHT = re.compile(r"\b(?:correct|true|ok|yes|passed|verified|confirmed)\b", re.IGNORECASE)
_WRONG = re.compile(r"\b(?:incorrect|false|wrong|not|\w*error|failed)\b", re.IGNORECASE)
_STATED = re.compile(
    r"\b(?:answer|result|total|value|sum|product|probability|area|solution|minimum|maximum|number"
    r"|remainder|length)\b[^.\n]{0,60}?(?:is|=|are|equals|be)\s*:?\s*\**\s*\$?\\?\(?"
    r"(?P<value>-?\\?[\w\\{}.,/^()+*-]*\d[\w\\{}.,/^()+*-]*)",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"(?:=|\A)[ \t]*(?:\\?\$|\\\()?[ \t]*(?P<value>-?\d[\d.,/]*)(?!\d*[ \t]*[-+*/=])"
)
_VALUE = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
NEAR = 200  # characters before a program in which it is called a check


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
        if found[1].lower() not in _PYTHON or not _is_program(found[2]):
            continue
        if _NO_CHECK.search(found[2]):
            continue
        answer = _answer(text[: found.start()])
        if answer is None:
            return None
        return Check(found.start(), found.end(), _agrees(answer, found[2], text[found.end() :]))
    return None


def _is_program(code: str) -> bool:
    """Whether a block is Python, and no formulas, text or data."""
    if _CODE.search(code):
        return True
    return "=" in code and all(_ASSIGNED.fullmatch(line) for line in code.splitlines())


def _answer(before: str) -> str | None:
    """What a text states as its answer; None: nothing yet. Where what follows is called a check,
    the last result counts as the answer; where it is not, only what is called the answer."""
    if (marked := extract_answer(before)) is not None:
        return marked
    if not _CHECKS.search(before, max(0, len(before) - NEAR)):
        return None
    for pattern in (_STATED, _RESULT):
        if found := list(pattern.finditer(before)):
            return found[-1]["value"].rstrip(".,")
    return None


def _agrees(answer: str, code: str, after: str) -> bool | None:
    if ">>>" in code:
        printed = code.rstrip().rpartition("\n")[2]
    else:
        output = _OUTPUT.match(after)
        printed = (output[output.lastgroup or 0] or "").strip() if output else ""
    values = [_number(v) for v in _VALUE.findall(printed)]
    if not values:
        return False if _WRONG.search(printed) else True if _RIGHT.search(printed) else None
    wanted = _number(answer)
    if wanted is None:
        return None
    return any(v is not None and abs(v - wanted) <= 1e-6 * max(1.0, abs(wanted)) for v in values)


def _number(text: str) -> float | None:
    """The last number of a text; None where it has none."""
    plain = re.sub(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", text).replace(",", "")
    found = list(_VALUE.finditer(plain))
    if not found:
        return None
    above, _, below = found[-1][0].partition("/")
    return float(above) / float(below) if below and float(below) else float(above)
