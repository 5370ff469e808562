"""Read a normalised answer as a small tree: lists, tuples, intervals, matrices, relations.

The leaves are scalars (a number or an expression, perhaps with a unit) and words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from srpo.verifiers.math_latex import canonical, normalise
from srpo.verifiers.numbers import parse_number

UNION = "\N{UNION}"
MAX_DEPTH = 8
MAX_ITEMS = 64


class Kind(Enum):
    SCALAR = "scalar"
    WORDS = "words"
    LIST = "list"  # bare: 1, 2   order does not matter
    SET = "set"  # {1, 2}
    BRACKETS = "brackets"  # tuples and intervals: (1, 2) [1, 2) ...; marks: the two brackets
    UNION = "union"
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
        return canonical(self.text)


_TOKEN = re.compile(r'\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\[a-zA-Z]+|\\.|"[^"]*"|[a-zA-Z]+|.', re.S)
_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_JOINERS = {"and", "or"}
_RELATIONS = set("=≠<>≤≥≈∈")
_OPEN, _CLOSE = "([{⟬", ")]}⟭"
_MATRIX = re.compile(
    r"\s*(?:\\begin\{([pb]?matrix|array)\}(?:\{[lcr|\s]*\})?)(.*)\\end\{\1\}\s*", re.S
)
_WORDS = re.compile(r"[^\W\d_]+(?:(?: |'|(?<=[^\W\d_]{3})-(?=[^\W\d_]{3}))[^\W\d_]+)*\.?")
_LONG_WORD = re.compile(r"[^\W\d_]{3}")
_BASED = re.compile(r"(-?[0-9A-Fa-f]*\d[0-9A-Fa-f]*)_(?:(\d)|\{(\d+)\})")
_UNIT_TEXT = re.compile(r'\s*"([^"]*[a-zA-Z][^"]*)"((?:\^-?\d|\^\{-?\d+\})?)\s*')
_NOT_A_UNIT = re.compile(r"\b(?:or|and|not|but|if)\b|(?<!base )\d", re.I)
_UNIT_BARE = re.compile(
    r"(-?\d[\d.,/]*|-?\\frac\{\d+\}\{\d+\})(\s*)([a-zA-Z]+(?: [a-zA-Z/]+){0,3})(\^[23])?"
)
_TRIGONOMETRY = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_SHORT_UNITS = {
    "cm",
    "mm",
    "km",
    "m",
    "kg",
    "mg",
    "lb",
    "lbs",
    "ft",
    "in",
    "mph",
    "ml",
    "hr",
    "min",
    "oz",
}
_NO_UNITS = {"pi", "sin", "cos", "tan", "log", "exp", "sqrt", "mod", "inf"}
_UNITS = {
    "foot": "feet", "ft": "feet", "inch": "inches", "in": "inches", "meter": "m", "metre": "m",
    "centimeter": "cm", "kilometer": "km", "millimeter": "mm", "degree": "°", "deg": "°",
    "percent": "%", "percentage": "%", "pct": "%", "sq": "square", "gram": "g", "kilogram": "kg",
    "buck": "dollar", "unit": "", "usd": "dollar", "hr": "hour", "lb": "pound", "lbs": "pound",
    "second": "s", "sec": "s", "minute": "min", "metres": "m", "foots": "feet",
}  # fmt: skip


def read(text: str) -> Answer:
    """Any text is an answer of some kind; what has no structure is a SCALAR."""
    dollars = text.lstrip("$ -(").startswith("\\$")
    text = normalise(text)
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
    for find in (_words, _list, _relation, _union, _matrix, _brackets, _plus_minus, _ratio):
        if found := find(text, depth + 1):
            return found
    value, unit = split_unit(text)
    return Answer(Kind.SCALAR, value, unit=unit)


def _words(text: str, depth: int) -> Answer | None:
    plain = text.replace('"', "").strip()
    quoted = text.count('"') == 2 and text[0] == text[-1] == '"'
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
    parts, _ = split(text, {",", ";"} | _JOINERS, groups=depth == 1)
    parts = [part for part in parts if part.strip()]
    if len(parts) < 2 or len(parts) > MAX_ITEMS:
        return None
    return Answer(Kind.LIST, text, tuple(_read(part, depth) for part in parts))


def _relation(text: str, depth: int) -> Answer | None:
    parts, marks = split(text, _RELATIONS)
    if len(parts) < 2 or not all(part.strip() for part in parts) or len(parts) > MAX_ITEMS:
        return None
    return Answer(Kind.RELATION, text, tuple(_read(p, depth) for p in parts), tuple(marks))


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
        if "|" in inside or split(inside, {":"})[1] or text[-1] != "⟭":
            return None  # {x | ...}
        parts = [part for part in parts if part.strip()]
        return Answer(Kind.SET, text, tuple(_flat(_read(part, depth) for part in parts)))
    if text[-1] == "⟭":
        return None
    items = tuple(_read(part, depth) for part in parts)
    return Answer(Kind.BRACKETS, text, items, (text[0], text[-1]))


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


def split(text: str, separators: set[str], groups: bool = False) -> tuple[list[str], list[str]]:
    """Cut at the separators that stand outside all brackets. `groups` keeps 1,234 whole."""
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


def split_unit(text: str) -> tuple[str, str]:
    """The value and its unit, "" when there is none."""
    text = text.strip()
    if based := _BASED.fullmatch(text):
        return based[1], f"base {based[2] or based[3]}"
    if text.endswith("%"):
        return text[:-1].strip(), "%"
    if text.endswith("^\\circ") and not _TRIGONOMETRY.search(text):
        return text[:-6].strip(), "°"
    units: list[str] = []
    while text.endswith('"') or (text[-2:-1] == "^" and '"' in text):
        start = text.rfind('"', 0, text.rfind('"'))
        match = _UNIT_TEXT.fullmatch(text, start) if start > 0 else None
        if match and _NOT_A_UNIT.search(match[1]):
            break
        if not match or text[:start].rstrip()[-1:] in "_^":
            break
        units.insert(0, match[1] + match[2])
        text = text[:start].strip()
    if units:
        if text.endswith("^\\circ"):
            text, units = text[:-6].strip(), ["degrees", *units]
        return text, unit_name(" ".join(units))
    bare = _UNIT_BARE.fullmatch(text)
    if bare and not set(bare[3].split()) & _NO_UNITS and not _NOT_A_UNIT.search(bare[3]):
        words = bare[3].split()
        if words[0] in _SHORT_UNITS or (all(len(word) > 2 for word in words) and len(words[0]) > 2):
            spaced = bare[2] or words[0] in _SHORT_UNITS - {"m", "in", "min"} or bare[4]
            if spaced or len(words[0]) > 3:
                return bare[1], unit_name(bare[3] + (bare[4] or ""))
    return text, ""


def unit_name(unit: str) -> str:
    """Plurals, the usual abbreviations and exponents in one spelling."""
    unit = re.sub(r"[.()]", " ", re.sub(r"[{}]", "", unit.lower()))
    power = "square " if "^2" in unit else "cubic " if "^3" in unit else ""
    words = (power + re.sub(r"\^-?\d+", "", unit)).replace("cu ", "cubic ").split()
    names = (
        _UNITS.get(w) if w in _UNITS else _UNITS.get(w.removesuffix("s"), w.removesuffix("s"))
        for w in words
    )
    return " ".join(name for name in names if name)


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
