"""Values across the wall: what comes out equals what went in, and hostile messages only fail."""

from __future__ import annotations

import contextlib
import json
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox.inside.mirror import MirrorError, Packer, Unpacker


class Node:
    kind = "node"

    def __init__(self, value: Any, next: Any = None) -> None:
        self.value, self.next = value, next

    def same(self, other: Any) -> bool:
        return self.value == other.value

    @property
    def double(self) -> Any:
        return self.value * 2


class Slotted:
    __slots__ = ("value",)


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Colour(IntEnum):
    RED = 3


CLASSES: dict[str, type] = {"Node": Node, "Slotted": Slotted}


def class_name(value: Any) -> str:
    return type(value).__name__ if type(value) in CLASSES.values() else ""


def stays_here(value: Any, _: Packer) -> list[Any]:
    raise TypeError(f"{type(value).__name__} stays here")


def not_away(node: list[Any], _: Any) -> Any:
    raise MirrorError(f"unknown kind {node[0]!r}")


def new_object(name: str) -> Any:
    return object.__new__(CLASSES[name])


def there(value: Any) -> Any:
    packer = Packer(class_name, stays_here)
    reference = packer.pack(value)
    reference, nodes = json.loads(json.dumps([reference, packer.nodes]))
    return Unpacker(new_object, not_away).unpack(nodes, [reference])[0]


def typed(value: Any) -> Any:
    """Equality that tells 1 from True and from 1.0, a list from a tuple."""
    if isinstance(value, list | tuple | deque):
        return type(value), [typed(v) for v in value]
    if isinstance(value, dict):
        return [(typed(k), typed(v)) for k, v in value.items()]
    if isinstance(value, set | frozenset):
        return type(value), sorted(repr(typed(v)) for v in value)
    return type(value), repr(value)


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(st.characters(codec=None))
)
HASHED = st.recursive(
    ATOMS | st.binary() | st.complex_numbers(allow_nan=False) | st.decimals(allow_nan=False),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHED
    | st.datetimes().map(lambda d: d.replace(fold=0))
    | st.dates()
    | st.timedeltas()
    | st.fractions(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(HASHED, inner)
        | st.sets(HASHED)
        | st.lists(inner).map(deque)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_what_comes_out_is_what_went_in(value: Any):
    assert typed(there(value)) == typed(value)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (range(3, 9, 2), range(3, 9, 2)),
        (OrderedDict(a=1), OrderedDict(a=1)),
        (Counter("aab"), Counter("aab")),
        (defaultdict(list, a=[1]), defaultdict(list, a=[1])),
        (defaultdict(lambda: 3, a=1), defaultdict(None, a=1)),
        (Colour.RED, 3),
        (bytearray(b"\xff"), bytearray(b"\xff")),
        ([int, str, dict], [int, str, dict]),
        (deque([1, 2], maxlen=2), deque([1, 2], maxlen=2)),
        (Decimal("1.50"), Decimal("1.5")),
        (Fraction(1, 3), Fraction(1, 3)),
        (datetime(2024, 2, 29, 1, 2, 3, 4), datetime(2024, 2, 29, 1, 2, 3, 4)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (timedelta(1, 2, 3), timedelta(1, 2, 3)),
    ],
)
def test_kinds(value: Any, becomes: Any):
    got = there(value)
    assert got == becomes
    assert type(got) is type(becomes)


def test_views_stay_views():
    for view in ({"a": 1}.keys(), {"a": [1]}.items()):
        assert there(view) == view
        assert type(there(view)) is type(view)
    assert list(there({"a": 1, "b": 1}.values())) == [1, 1]


def test_a_library_s_dictionary_works():
    counts, groups = there([Counter("aab"), defaultdict(list)])
    assert counts["z"] == 0
    assert counts.most_common(1) == [("a", 2)]
    groups["new"].append(3)
    assert groups == {"new": [3]}


def test_arrays_cross_whole():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.arange(6.0).reshape(2, 3), numpy.array(["a", "bc"]), numpy.zeros((0, 2))):
        got = there(value)
        assert (got == value).all()
        assert (got.dtype, got.shape) == (value.dtype, value.shape)
    assert type(there(numpy.int8(3))) is numpy.int8
    with pytest.raises(TypeError, match="ndarray stays here"):
        there(numpy.array([object()]))


def test_no_method_comes_along():
    got = there([Text("no")])
    assert type(got[0]) is str
    assert got != ["yes"]


def test_identity_and_cycles():
    shared: list[Any] = [1]
    ring: list[Any] = [shared, shared]
    ring.append(ring)
    got = there(ring)
    assert got[0] is got[1]
    assert got[2] is got
    head = Node(1, Node(2))
    head.next.next = head
    got = there(head)
    assert (type(got), got.value, got.next.value) == (Node, 1, 2)
    assert got.next.next is got


def test_long_chains_need_no_recursion():
    head = None
    for i in range(50_000):
        head = Node(i, head)
    got, length = there(head), 0
    while got:
        got, length = got.next, length + 1
    assert length == 50_000


def test_slots():
    one = Slotted()
    one.value = 7
    assert there(one).value == 7


def test_what_has_stays_here_cannot_cross():
    with pytest.raises(TypeError, match="function stays here"):
        there([lambda: 1])


def test_a_changed_argument_changes_in_place():
    """The callee's side sends the nodes of the arguments that it changed, by number."""
    inner, kept = [1], {"a": 1}
    sent = Packer(class_name, stays_here)
    sent.pack([inner, kept])
    changed = {"1": ["l", [{"#": 3}, 5]], "3": ["l", [9]]}
    back = Unpacker(new_object, not_away, sent.objects)
    (result,) = back.unpack(changed, [{"#": 1}])
    assert result is inner
    assert inner == [[9], 5]
    assert kept == {"a": 1}


HOSTILE = {
    "no such node": ({}, {"#": 3}),
    "a list as reference": ({}, [1]),
    "a bare object": ({}, {"a": 1}),
    "unknown kind": ({"0": ["?"]}, None),
    "empty node": ({"0": []}, None),
    "tuple in itself": ({"0": ["t", [{"#": 0}]]}, None),
    "unhashable key": ({"0": ["d", [{"#": 1}], [1]], "1": ["l", []]}, None),
    "unhashable element": ({"0": ["s", [{"#": 1}]], "1": ["l", []]}, None),
    "uneven dict": ({"0": ["d", [1], []]}, None),
    "unknown class": ({"0": ["o", "os", [], []]}, None),
    "a class's method": ({"0": ["o", "Node", ["same"], [1]]}, None),
    "a class's property": ({"0": ["o", "Node", ["double"], [1]]}, None),
    "another class": ({"0": ["o", "Node", ["__class__"], [1]]}, None),
    "a module as type": ({"0": ["k", "type"]}, None),
    "a name that is no number": ({"x": ["l", []]}, None),
    "no date": ({"0": ["y", "yesterday"]}, None),
    "no decimal": ({"0": ["x", "Decimal", "x"]}, None),
    "code instead of a decimal": ({"0": ["x", "eval", "1"]}, None),
    "code instead of a dictionary": ({"0": ["d", [], [], "eval"]}, {"#": 5}),
    "no view": ({"0": ["v", "items", [1]]}, None),
    "an array of objects": ({"0": ["a", "O", [1], "12345678", False]}, None),
    "an array without its data": ({"0": ["a", "<f8", [9], "", False]}, None),
    "a handle": ({"0": ["r", 0]}, None),
    "deep tuples": ({str(i): ["t", [{"#": i + 1}]] for i in range(9999)}, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_only_fail(name: str):
    nodes, reference = HOSTILE[name]
    with pytest.raises(MirrorError):
        Unpacker(new_object, not_away).unpack(nodes, [reference])


JSON = st.recursive(
    ATOMS | st.just({"#": 0}) | st.just({"#": 1}),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["0", "1", "2"]),
        st.tuples(st.sampled_from([*"ltsfdqbcgxmyzokirvanEXh"]), JSON, JSON, JSON).map(list) | JSON,
    ),
    st.lists(JSON),
)
def test_any_message_builds_values_or_fails(nodes: Any, references: Any):
    known = [[1], {"a": 2}]
    with contextlib.suppress(MirrorError):
        Unpacker(new_object, not_away, known).unpack(nodes, references)
