"""Read a normalised answer as a small tree: lists, tuples, intervals, matrices, relations.

The leaves are scalars (a number or an expression, perhaps with a unit) and words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from srpo.verifiers.math.latex import canonical, normalise
from srpo.verifiers.math.numbers import parse_number
from srpo.verifiers.math.units import split_unit

UNION = "\N{UNION}"
MAX_DEPTH = 8
MAX_ITEMS = 64


class Kind(Enum):
    """What an answer is, by its outermost signs."""

    SCALAR = "scalar"
    WORDS = "words"
    LIST = "list"  # bare: 1, 2   order does not matter; marks: commas, "and", "or"
    SET = "set"  # {1, 2}
    BRACKETS = "brackets"  # tuples and intervals: (1, 2) [1, 2) ...; marks: the two brackets
    UNION = "union"
    BUILDER = "builder"  # {x | x > 2}: items: the condition, perhaps the domain; marks: the name
    MINUS = "minus"  # items: a set, and what it is without
    MATRIX = "matrix"  # items: rows, which are LISTs
    RATIO = "ratio"  # 3:4
    RELATION = "relation"  # marks: the relation signs between the items


@dataclass(frozen=True)
class Answer:
    """`text` is normalised; `unit` belongs to a SCALAR."""

    kind: Kind
    text: str
    items: tuple[Answer, ...] = ()
    marks: tuple[str, ...] = ()
    unit: str = ""

    @property
    def key(self) -> str:
        """Its text in canonical form: equal ones are equal answers."""
        return canonical(self.text)


_TOKEN = re.compile(r'\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\[a-zA-Z]+|\\.|"[^"]*"|[a-zA-Z]+|.', re.S)
_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_JOINERS = {"and", "or"}
_RELATIONS = set("=≠<>≤≥≈∈")
_OPEN, _CLOSE = "([{⟬", ")]}⟭"
_MATRIX = re.compile(
    r"\s*(?:\\begin\{([pb]?matrix|array)\}(?:\{[lcr|\s]*\})?)(.*)\\end\{\1\}\s*", re.S
)
_VALUE_AND_NAME = re.compile(  # 1 y of x=1 y=2
    r"(.*(?:[\d)}\]]|(?<![a-zA-Z\\])[a-zA-Z])) ([a-zA-Z](?:_(?:\w|\{[^{}]*\}))?'*)\s*", re.S
)
# (0, 5)-{2}: a difference only where both are sets
_WITHOUT = re.compile(r"(\([^()]*,[^()]*\)|\[[^\[\]]*,[^\[\]]*\])\s*[-/]\s*(⟬.*⟭)", re.S)
_BUILDER = re.compile(r"⟬\s*([a-zA-Z])\s*(?:∈([^|:]+))?[|:](.*)⟭", re.S)
_WORDS = re.compile(r"[^\W\d_]+(?:(?: |'|(?<=[^\W\d_]{3})-(?=[^\W\d_]{3}))[^\W\d_]+)*\.?")
_LONG_WORD = re.compile(r"[^\W\d_]{3}")
_CHOICE = re.compile(  # (C), C: and C. with what it stands for; "(C)" and "C"
    r'\s*"?\s*(?:(?:option|choice|answer)\s+)?'
    r'(?:\(([A-J])\)\s*[.:]?(?=["\s]|\Z)|([A-J])\s*(?:[.:)]\s*(?=["\s])|"\s*[.:])|([A-J])\s*"?\Z)'
    r"(.*)",
    re.S | re.I,
)
# Not the article in "A red fox", nor the numeral in "I only".
_OTHER_CHOICE = re.compile(r"(?<![\w\\'])(?!A [a-z]{2}|I\b(?!\s*\)))[A-J](?![\w'])")
_NO_TEXT = re.compile(r'"-|[\s"]*(?:[+*/^=!_,;&|]|\\cdot|\\times|or\b|and\b|not\b)', re.I)


@lru_cache(maxsize=4096)
def read(text: str) -> Answer:
    """Any text is an answer of some kind; what has no structure is a SCALAR."""
    dollars = text.lstrip("$ -(").startswith("\\$")
    text = unwrap(normalise(text).removeprefix("≈").removeprefix("=").strip())
    while text.startswith("{") and text.endswith("}") and _wraps(text):
        text = text[1:-1].strip()  # braces that LaTeX does not print
    answer = _read(text, 0)
    if dollars and answer.kind is Kind.SCALAR and not answer.unit:
        return replace(answer, unit="dollar")
    return answer


def _read(text: str, depth: int) -> Answer:
    text = text.strip()
    if depth > MAX_DEPTH or not text:
        return Answer(Kind.SCALAR, text)
    if depth == 0 and parse_number(text):
        return Answer(Kind.SCALAR, text)
    for find in _FINDERS:
        if found := find(text, depth + 1):
            return found
    value, unit = split_unit(text)
    return Answer(Kind.SCALAR, value, unit=unit)


def choice_letter(text: str) -> str | None:
    """The letter of an option of multiple choice, alone or with its text: (B), B. 5, "(B)" 5.
    None where another letter, or more than a text, follows."""
    match = _CHOICE.fullmatch(text)
    if not match or _NO_TEXT.match(match[4]) or _OTHER_CHOICE.search(match[4]):
        return None
    letter = match[1] or match[2] or match[3]
    return letter if letter.isupper() else None


def _words(text: str, depth: int) -> Answer | None:
    plain = text.replace('"', "").strip()
    quoted = text.count('"') == 2 and text[0] == text[-1] == '"'
    if text.lstrip('" ').startswith("(") and (letter := choice_letter(text)):
        return Answer(Kind.SCALAR, letter)
    choice = plain.startswith("(") and plain.endswith(")") and len(plain) == 3
    if choice and plain[1].isalpha():
        return Answer(Kind.SCALAR, plain[1])
    if quoted and len(plain) > 1 and not any(c.isdigit() for c in plain):
        joined = _list(plain, depth) if set(plain.split()) & _JOINERS else None
        return joined or Answer(Kind.WORDS, plain)
    if _WORDS.fullmatch(plain) and _LONG_WORD.search(plain) and not (set(plain.split()) & _JOINERS):
        return Answer(Kind.WORDS, plain)
    return Answer(Kind.SCALAR, plain) if quoted and len(plain) == 1 else None


def _list(text: str, depth: int) -> Answer | None:
    parts, marks = split(text, {",", ";"} | _JOINERS, groups=depth == 1)
    parts = [part for part in parts if part.strip()]
    if len(parts) < 2 or len(parts) > MAX_ITEMS:
        return None
    return Answer(Kind.LIST, text, tuple(_read(part, depth) for part in parts), tuple(marks))


def _relation(text: str, depth: int) -> Answer | None:
    parts, marks = split(text, _RELATIONS)
    if len(parts) < 2 or not all(part.strip() for part in parts) or len(parts) > MAX_ITEMS:
        return None
    if several := _side_by_side(parts, marks):
        items = tuple(_read(one, depth) for one in several)
        return Answer(Kind.LIST, text, items, (",",) * (len(items) - 1))
    return Answer(Kind.RELATION, text, tuple(_read(p, depth) for p in parts), tuple(marks))


def _side_by_side(parts: list[str], marks: list[str]) -> list[str] | None:
    """x=1 y=2 as two assignments: a value, a space, and a name is rather that than a product."""
    inner = [_VALUE_AND_NAME.fullmatch(part) for part in parts[1:-1]]
    if set(marks) != {"="} or not inner or not all(inner):
        return None
    names = [parts[0], *(match[2] for match in inner if match)]
    values = [*(match[1] for match in inner if match), parts[-1]]
    return [f"{name}={value}" for name, value in zip(names, values, strict=True)]


def _minus(text: str, depth: int) -> Answer | None:
    parts, _ = split(text, {"\\setminus"})
    if len(parts) == 1 and (match := _WITHOUT.fullmatch(text)):
        parts = [match[1], match[2]]
    if len(parts) != 2 or not all(part.strip() for part in parts):
        return None
    return Answer(Kind.MINUS, text, tuple(_read(part, depth) for part in parts))


def _union(text: str, depth: int) -> Answer | None:
    parts, _ = split(text, {UNION})
    if len(parts) < 2 or len(parts) > MAX_ITEMS:
        return None
    return Answer(Kind.UNION, text, tuple(_read(part, depth) for part in parts))


def _matrix(text: str, depth: int) -> Answer | None:
    while (
        text and text[0] in "([{" and text[-1] in ")]}" and _wraps(text) and "\\begin" in text[:9]
    ):
        text = text[1:-1].strip()
    match = _MATRIX.fullmatch(text)
    if not match or "\\begin" in match[2]:
        return None
    rows = [row for row in match[2].split("\\\\") if row.strip()]
    cells = [tuple(_read(cell, depth) for cell in row.split("&")) for row in rows]
    items = tuple(Answer(Kind.LIST, row, c) for row, c in zip(rows, cells, strict=True))
    return Answer(Kind.MATRIX, text, items)


def _brackets(text: str, depth: int) -> Answer | None:
    if text == "∅":
        return Answer(Kind.SET, text)
    if text[0] not in "([⟬" or text[-1] not in ")]⟭" or not _wraps(text):
        return None
    inside = text[1:-1]
    if text[0] == "(" and text[-1] == ")" and inside.strip().startswith("\\begin"):
        return None
    parts, _ = split(inside, {",", ";"})
    if len(parts) > MAX_ITEMS:
        return None
    if len(parts) == 1 and text[0] != "⟬":
        return _read(inside, depth) if text[0] == "(" and text[-1] == ")" else None
    if text[0] == "⟬":
        if text[-1] != "⟭":
            return None
        if "|" in inside or split(inside, {":"})[1]:
            return _builder(text, depth)
        parts = [part for part in parts if part.strip()]
        return Answer(Kind.SET, text, tuple(_flat(_read(part, depth) for part in parts)))
    if text[-1] == "⟭":
        return None
    items = tuple(_read(part, depth) for part in parts)
    return Answer(Kind.BRACKETS, text, items, (text[0], text[-1]))


def _builder(text: str, depth: int) -> Answer | None:
    match = _BUILDER.fullmatch(text)
    if not match:
        return None
    parts = [part for part in (match[3], match[2]) if part]
    return Answer(Kind.BUILDER, text, tuple(_read(part, depth) for part in parts), (match[1],))


def _flat(items):
    for item in items:
        yield from item.items if item.kind is Kind.LIST else (item,)


def _plus_minus(text: str, depth: int) -> Answer | None:
    if text.count("±") != 1:
        return None
    both = text.replace("±", "+").removeprefix("+"), text.replace("±", "-")
    return Answer(Kind.LIST, text, tuple(_read(one, depth) for one in both))


def _ratio(text: str, depth: int) -> Answer | None:
    parts, _ = split(text, {":"})
    if len(parts) < 2 or not all(part.strip() for part in parts):
        return None
    return Answer(Kind.RATIO, text, tuple(_read(part, depth) for part in parts))


_FINDERS = (
    _words, _list, _relation, _minus, _union, _matrix, _brackets, _plus_minus, _ratio,
)  # fmt: skip


def split(text: str, separators: set[str], groups: bool = False) -> tuple[list[str], list[str]]:
    """Cut at the separators that stand outside all brackets. `groups` keeps 1,234 whole."""
    if not any(separator in text for separator in separators):
        return [text], []
    whole = {i for m in _GROUPED.finditer(text) for i in range(*m.span())} if groups else set()
    parts, marks, depth, start = [], [], 0, 0
    for token in _TOKEN.finditer(text):
        mark = token[0].strip('" ')
        if (mark and mark in _OPEN) or mark.startswith("\\begin"):
            depth += 1
        elif (mark and mark in _CLOSE) or mark.startswith("\\end"):
            depth -= 1
        elif depth == 0 and mark in separators and token.start() not in whole:
            parts.append(text[start : token.start()])
            marks.append(mark)
            start = token.end()
    return [*parts, text[start:]], marks


def unwrap(text: str) -> str:
    """((x)) as (x), {{x}} as {x}: the parser takes exponential time to see that."""
    text = re.sub(r"(?<=[({]) | (?=[)}])", "", text)
    opened: list[int] = []
    closes: dict[int, int] = {}
    for at, char in enumerate(text):
        if char in "({":
            opened.append(at)
        elif char in ")}" and opened and text[opened[-1]] + char in ("()", "{}"):
            closes[opened.pop()] = at
    idle = {
        at
        for at, end in closes.items()
        if text[at + 1] == text[at] and closes.get(at + 1) == end - 1
    }
    idle |= {closes[at] for at in idle}
    return "".join(char for at, char in enumerate(text) if at not in idle) if idle else text


def nesting(text: str) -> int:
    """The deepest level of brackets and braces, also of those that never close."""
    depth = deepest = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _wraps(text: str) -> bool:
    """Whether the first bracket closes with the last one."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in _OPEN:
            depth += 1
        elif token[0] in _CLOSE:
            depth -= 1
            if depth == 0 and token.end() < len(text):
                return False
    return depth == 0
