"""Whether two answers are equivalent, by their structure; docs/math-policy.md is the policy.

Three values: True, False, and None for what the leaf function cannot say. The host compares
with cheap exact leaves; what stays None is compared again in a worker, with sympy's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from srpo.verifiers.math.answer import Answer, Kind, choice_letter, read
from srpo.verifiers.math.estimate import surely_different, surely_other_relation
from srpo.verifiers.math.form import unevaluated
from srpo.verifiers.math.latex import canonical, normalise
from srpo.verifiers.math.numbers import decimal_comma, equal_numbers, parse_number

Truth = bool | None


class Leaves(Protocol):
    """How scalars, equations and inequalities are compared."""

    def scalars(self, gold: str, answer: str) -> Truth:
        """Two scalars, as texts. None: it cannot tell."""
        ...

    def relations(self, gold: Answer, answer: Answer) -> Truth:
        """Both are RELATIONs of the same one sign."""
        ...

    def sets(self, gold: Answer, answer: Answer) -> Truth:
        """Both describe sets of real numbers, at least one by a condition."""
        ...


_LETTER = r"(?:[a-zA-Z]|\\(?!pi\b|sqrt|frac|sin|cos|tan|log|ln|exp|infty|cdot)[a-zA-Z]+ ?)"
_SUB = r"(?:_(?:[0-9a-zA-Z]|\\[a-zA-Z]+|\{[^{}]*\}))?'*"
_CAPITALS = (
    r"(?:\\(?:angle|overline|triangle|widehat|vec) ?)?\{?(?:[A-Z]{1,4}|\|[A-Z]{2}\|)\}?" + _SUB
)
_WORDS = r"(?:[a-z]{4,}|[A-Z][a-z]{2,})(?: [a-z]{2,}){0,4}"
_ONE = rf"(?:{_LETTER}{_SUB}|{_CAPITALS}|{_WORDS}|\"[^\"]*\")"
_CALL = rf"{_ONE}(?:\([^()]{{1,40}}\))?"
_NAME = re.compile(
    rf"(?:{_CALL}|{_CALL}(?:[:/]{_CALL})+|\\frac\{{{_CAPITALS}\}}\{{{_CAPITALS}\}}"
    rf"|\({_CALL}(?:,{_CALL})+\)|m\\angle ?[A-Z]{{1,3}}|\[[A-Z]{{2,}}\])"
)
_LETTER_CALL = re.compile(r"\([a-zA-Z](?:,[a-zA-Z])*\)")
_FLIP = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
_BRACKET = {"<": ("(", ")"), "≤": ("[", "]")}
MAX_ASKED = 200


class ExactLeaves:
    """The host's `Leaves`: exact for plain numbers, and what surely differs is False."""

    def __init__(self, digits: int) -> None:
        self._digits = digits

    def scalars(self, gold: str, answer: str) -> Truth:
        if canonical(gold) == canonical(answer):
            return bool(gold)
        equal = equal_numbers(gold, answer, self._digits)
        if equal is not None:
            return equal
        tolerance = 10.0 ** (2 - self._digits) if _rounded(gold, answer) else 1e-6
        return False if surely_different(gold, answer, tolerance) else None

    def relations(self, gold: Answer, answer: Answer) -> Truth:
        sides = ([item.text for item in relation.items] for relation in (gold, answer))
        return False if surely_other_relation(*sides) else None

    def sets(self, gold: Answer, answer: Answer) -> Truth:
        return None


def _rounded(gold: str, answer: str) -> bool:
    """Whether one is a decimal: then a difference in its last digits is for the worker."""
    return any((number := parse_number(text)) is not None and number[1] for text in (gold, answer))


def equivalent(gold: str, answer: str, leaves: Leaves) -> Truth:
    """Whether the text `answer` is equivalent to the text `gold` under the policy."""
    left, right = parse_number(gold), parse_number(answer)
    if left and right and left[0] == right[0]:
        return True
    if left and right:
        return leaves.scalars(gold, answer)
    comma = decimal_comma(answer) if left and left[1] else None
    if comma:
        return leaves.scalars(gold, comma)
    comma = (
        decimal_comma(gold) if right and right[1] and gold.strip(" $").startswith("0,") else None
    )
    if comma:
        return leaves.scalars(comma, answer)
    expected = read(gold)
    if len(expected.text) == 1 and (letter := choice_letter(normalise(answer))):
        return letter == expected.text
    return same(expected, read(answer), leaves)


def same(gold: Answer, answer: Answer, leaves: Leaves) -> Truth:
    """Whether `answer` is equivalent to `gold`."""
    if gold.kind is answer.kind and gold.key == answer.key and gold.unit == answer.unit:
        return bool(gold.key)
    if _are_sets(gold, answer):
        return leaves.sets(gold, answer)
    if gold.kind is Kind.RELATION or answer.kind is Kind.RELATION:
        return _relations(gold, answer, leaves)
    pair = {gold.kind, answer.kind}
    if pair == {Kind.SCALAR}:
        return _quantities(gold, answer, leaves)
    if Kind.MATRIX in pair and Kind.SCALAR in pair:
        if not all("\\begin" in side.text for side in (gold, answer)):
            return False
        return leaves.scalars(gold.text, answer.text)
    if pair <= {Kind.WORDS, Kind.SCALAR}:
        return _words(gold) == _words(answer)
    return _collections(gold, answer, pair, leaves)


_SETS = {Kind.BRACKETS, Kind.UNION, Kind.SET, Kind.BUILDER, Kind.MINUS}


def _are_sets(gold: Answer, answer: Answer) -> bool:
    """Whether the two spell sets in two ways that only their elements can compare."""
    pair = {gold.kind, answer.kind}
    sides = [(gold, answer), (answer, gold)]
    if pair <= {Kind.UNION, Kind.BRACKETS}:
        return _touches(gold) or _touches(answer)
    return any(
        (one.kind in (Kind.BUILDER, Kind.MINUS) and (other.kind in _SETS or _bounds(other)))
        or (other.kind in _SETS and ("≠" in _bounds(one) or _conditions(one)))
        for one, other in sides
    )


def _touches(answer: Answer) -> bool:
    """Whether a union may be written with fewer parts, as [0, 1) and [1, 2]."""
    if answer.kind is not Kind.UNION:
        return False
    parts = [item.items for item in answer.items if item.kind is Kind.BRACKETS and item.items]
    return bool({part[0].key for part in parts} & {part[-1].key for part in parts})


def _bounds(answer: Answer) -> set[str]:
    """The signs of an inequality, or of a list of them that may begin with one; else none."""
    if answer.kind is Kind.RELATION:
        return set(answer.marks) if set(answer.marks) <= set("<>≤≥≠") else set()
    if answer.kind is not Kind.LIST:
        return set()
    each = [set(item.marks) for item in distribute_name(answer.items)]
    return set().union(*each) if all(each) and set().union(*each) <= set("<>≤≥≠∈") else set()


def _conditions(answer: Answer) -> bool:
    """Whether it is a list of inequalities that all hold: x ≥ 0 and x < 1."""
    return answer.kind is Kind.LIST and "or" not in answer.marks and bool(_bounds(answer))


def _collections(gold: Answer, answer: Answer, pair: set[Kind], leaves: Leaves) -> Truth:
    if pair == {Kind.BRACKETS}:
        return gold.marks == answer.marks and _in_order(gold.items, answer.items, leaves)
    if Kind.LIST in pair and Kind.BRACKETS in pair:
        # As math-verify does: a list in the tuple's order is the tuple, unless the list's
        # own items are tuples.
        tuple_ = gold if gold.kind is Kind.BRACKETS else answer
        return tuple_.marks == ("(", ")") and _in_order(gold.items, answer.items, leaves)
    if pair == {Kind.LIST, Kind.UNION}:
        return _as_sets(_alternatives(gold), _alternatives(answer), leaves)
    if pair == {Kind.UNION} or pair <= {Kind.LIST, Kind.SET}:
        return _as_sets(gold.items, answer.items, leaves)
    if pair == {Kind.LIST, Kind.SCALAR}:
        return _as_sets(_items(gold), _items(answer), leaves)
    if pair == {Kind.MATRIX}:
        if len(gold.items) != len(answer.items):
            return False
        rows = zip(gold.items, answer.items, strict=True)
        return _all(_in_order(g.items, a.items, leaves) for g, a in rows)
    if pair == {Kind.RATIO}:
        return _in_order(gold.items, answer.items, leaves)
    return False


def _alternatives(answer: Answer) -> Sequence[Answer]:
    """The parts of a union; of x < 1 or x > 2 the two intervals."""
    if answer.kind is Kind.UNION:
        return answer.items
    intervals = [as_interval(item) for item in answer.items]
    whole = [interval for interval in intervals if interval is not None]
    return whole if len(whole) == len(intervals) and set(answer.marks) == {"or"} else ()


def _items(answer: Answer) -> tuple[Answer, ...]:
    return answer.items if answer.kind is Kind.LIST else (answer,)


def _words(answer: Answer) -> str:
    text = answer.text.replace('"', "")
    if not re.search(r"[^\W\d_]{2}", text):
        # Variables and choices: a is not A, a+b not a, b.
        return "".join(text.split()) + answer.unit
    return " ".join(re.sub(r"[^\w\s+*/^=<>|]", " ", text).casefold().split()) + answer.unit


def _quantities(gold: Answer, answer: Answer, leaves: Leaves) -> Truth:
    if unevaluated(gold.text, answer.text):
        return False
    if "%" in (gold.unit, answer.unit) and gold.unit != answer.unit:
        return _percent(gold, answer, leaves)
    if answer.unit.startswith("base ") and answer.unit != "base 10" and not gold.unit:
        return False
    if gold.unit and answer.unit and gold.unit != answer.unit:
        return False
    return leaves.scalars(gold.text, answer.text)


def _percent(gold: Answer, answer: Answer, leaves: Leaves) -> Truth:
    """Beside a percentage, a number above 1 has lost its %, all else is a value."""
    percent, plain = (gold, answer) if gold.unit == "%" else (answer, gold)
    if plain.unit:
        return False
    number = parse_number(plain.text)
    if number is None or abs(number[0]) <= 1:
        percent = replace(percent, text=f"\\frac{{{percent.text}}}{{100}}")
    sides = (percent, plain) if gold.unit == "%" else (plain, percent)
    return leaves.scalars(sides[0].text, sides[1].text)


def _all(truths: Iterable[Truth]) -> Truth:
    unsure = False
    for truth in truths:
        if truth is False:
            return False
        unsure = unsure or truth is None
    return None if unsure else True


def _in_order(gold: Sequence[Answer], answer: Sequence[Answer], leaves: Leaves) -> Truth:
    if len(gold) != len(answer):
        return False
    return _all(same(g, a, leaves) for g, a in zip(gold, answer, strict=True))


def _as_sets(gold: Sequence[Answer], answer: Sequence[Answer], leaves: Leaves) -> Truth:
    """Each item of either side has its equal on the other: order and repeats do not count."""
    if not gold or not answer:
        return not gold and not answer
    if any(item.key == "\\ldots" for item in (*gold, *answer)):
        return _in_order(gold, answer, leaves)  # 1, 2, ..., n
    gold, answer = distribute_name(gold), distribute_name(answer)
    names = [_name(g)[0] for g in gold]
    if all(names) and len(set(names)) > 1 and not any(_name(a)[0] for a in answer):
        return _in_order(gold, answer, leaves)  # x = 1, y = 2 against 1, 2
    if len(gold) * len(answer) > MAX_ASKED:
        return {g.key for g in gold} == {a.key for a in answer}
    table = [[same(g, a, leaves) for a in answer] for g in gold]
    columns = zip(*table, strict=True)
    return _all(_any(line) for line in [*table, *columns])


def _any(truths: Sequence[Truth]) -> Truth:
    return True if True in truths else None if None in truths else False


def distribute_name(items: Sequence[Answer]) -> Sequence[Answer]:
    """a = 4, -8, -10 are three values of a, and x ≠ 1, 2 are two that x has not."""
    if len(items) < 2 or items[0].kind is not Kind.RELATION or len(items[0].items) != 2:
        return items
    first = items[0]
    if not _NAME.fullmatch(first.items[0].key) or first.marks[0] not in "=≈∈≠":
        return items
    if any(item.kind is Kind.RELATION for item in items[1:]):
        return items
    return [first, *(_assign(first, item) for item in items[1:])]


def _assign(first: Answer, value: Answer) -> Answer:
    text = f"{first.items[0].text}{first.marks[0]}{value.text}"
    return replace(first, text=text, items=(first.items[0], value))


def _names(answer: Answer) -> set[str]:
    """Of an assignment, or of the assignments of a list."""
    names = (_name(item)[0] for item in distribute_name(_items(answer)))
    return {name for name in names if name}


def _name(answer: Answer) -> tuple[str, Answer]:
    """The name and the value of an assignment such as x = 5 or f(x) = 2 + 3 = 5, else "" and
    the answer itself."""
    if answer.kind is not Kind.RELATION or not answer.items:
        return "", answer
    if not set(answer.marks) <= {"=", "≈", "∈"}:
        return "", answer
    first = answer.items[0].key
    if not _NAME.fullmatch(first):
        return "", answer
    last = len(answer.items) - 1
    while last > 1 and answer.marks[last - 1] == "≈":
        last -= 1  # what follows "approximately" is not the answer
    return _LETTER_CALL.sub("", first), answer.items[last]


def value_of(answer: Answer) -> Answer:
    """The answer without a name, and without the approximation after an exact value."""
    name, value = _name(answer)
    if name or answer.kind is not Kind.RELATION:
        return value
    if answer.marks[0] == "≈":
        return answer.items[0]
    sides = [item.key for item in answer.items[:-1]]
    if set(answer.marks) == {"="} and all(
        _NAME.fullmatch(side) or not re.search(r"[a-zA-Z]", side.replace("\\cdot", ""))
        for side in sides
    ):
        number = re.search(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+", "", answer.items[-1].key)) is None
        return answer.items[-1] if number else answer  # 2 + 3 = 5
    return answer


def _relations(gold: Answer, answer: Answer, leaves: Leaves) -> Truth:
    (gold_name, gold_value), (name, value) = _name(gold), _name(answer)
    if gold_name and name and gold_name == name:
        return same(gold_value, value, leaves)
    if Kind.LIST in (gold.kind, answer.kind):
        names = _names(gold), _names(answer)
        if all(names) and names[0] != names[1]:
            return False  # x = 2, 4 and y = 3 ± 1
    if (gold.marks[:1] == ("∈",)) != (answer.marks[:1] == ("∈",)):
        member, its_name = (gold, gold_name) if gold.marks[:1] == ("∈",) else (answer, name)
        if not its_name:
            return False
        return same(gold_value, answer, leaves) if member is gold else same(gold, value, leaves)
    if gold.kind is answer.kind:
        if gold_name and _constant(gold_value) and name and _constant(value):
            return False  # x = 1, y = 1
        if gold_name and _constant(gold_value) and gold.marks == answer.marks == ("=",):
            name, value = _name(replace(answer, items=answer.items[::-1]))  # 5 = x
            return name == gold_name and same(gold_value, value, leaves)  # 2x = 10 is to solve
        return _both_relations(gold, answer, leaves)
    stripped = value_of(gold), value_of(answer)
    if stripped[0] is not gold or stripped[1] is not answer:
        return same(*stripped, leaves)
    ends = as_interval(gold), as_interval(answer)
    if (ends[0] or ends[1]) and {gold.kind, answer.kind} & {Kind.BRACKETS, Kind.UNION}:
        return same(ends[0] or gold, ends[1] or answer, leaves)
    if {gold.kind, answer.kind} & {Kind.LIST}:
        return _as_sets(_items(gold), _items(answer), leaves)
    return False


def _constant(answer: Answer) -> bool:
    return re.search(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+", "", answer.key)) is None


def _both_relations(gold: Answer, answer: Answer, leaves: Leaves) -> Truth:
    if len(gold.items) != len(answer.items):
        return same(value_of(gold), value_of(answer), leaves) if _shorter(gold, answer) else False
    if gold.marks == answer.marks:
        straight = _in_order(gold.items, answer.items, leaves)
    elif tuple(_FLIP.get(mark, mark) for mark in reversed(answer.marks)) == gold.marks:
        straight = _in_order(gold.items, answer.items[::-1], leaves)
    else:
        straight = False
    if straight or len(gold.items) > 2:
        return straight
    sign = answer.marks[0]
    if sign != gold.marks[0] and _FLIP.get(sign) != gold.marks[0]:
        return False
    return leaves.relations(gold, answer)


def _shorter(gold: Answer, answer: Answer) -> bool:
    return (
        value_of(gold) is not gold
        and value_of(answer) is not answer
        and not (_name(gold)[0] and _name(answer)[0])
    )


def as_interval(answer: Answer, name: str = "") -> Answer | None:
    """a < x ≤ b, x > a ... as an interval for its `name`; None when it is another relation."""
    if answer.kind is not Kind.RELATION or not set(answer.marks) <= {"<", ">", "≤", "≥"}:
        return None
    items, marks = answer.items, answer.marks
    if all(mark in ">≥" for mark in marks):
        items, marks = items[::-1], tuple(_FLIP[mark] for mark in reversed(marks))
    if not all(mark in "<≤" for mark in marks):
        return None
    infinite = Answer(Kind.SCALAR, "\\infty"), Answer(Kind.SCALAR, "-\\infty")
    if len(items) == 2 and _is_name(items[0], name):
        items, marks = (infinite[1], *items), ("<", *marks)
    elif len(items) == 2 and _is_name(items[1], name):
        items, marks = (*items, infinite[0]), (*marks, "<")
    if len(items) != 3 or not _is_name(items[1], name):
        return None
    ends = _BRACKET[marks[0]][0], _BRACKET[marks[1]][1]
    text = f"{ends[0]}{canonical(items[0].text)},{canonical(items[2].text)}{ends[1]}"
    return Answer(Kind.BRACKETS, text, (items[0], items[2]), ends)


def _is_name(item: Answer, name: str) -> bool:
    return item.key == name if name else _NAME.fullmatch(item.key) is not None
