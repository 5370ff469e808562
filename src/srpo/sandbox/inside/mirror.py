"""Python values as JSON and back, between the process of the tests and that of the program.

Only data crosses, never code: numbers, text, containers, instances of classes that both sides
know, each built anew from its plain type, so that no method that the program overrode comes
along. What is no data stays where it is, and each side has its own word for it (`Packer.away`).

A message holds a table of nodes, [kind, content...], one for each object that is no atom, and
references: an atom stands for itself, {"#": 3} for node 3. That keeps cycles and identity; an
argument that the callee changed is sent back under its number, and changes in place.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

Node = list[Any]
_ATOMS = frozenset({type(None), bool, int, float, str})
_SEQUENCES = {"l": list, "t": tuple, "s": set, "f": frozenset}
_TYPES = {t.__name__: t for t in (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)}
_DICTS: dict[str, Any] = {"Counter": Counter, "OrderedDict": OrderedDict}
_VIEWS = {"keys": KeysView, "values": ValuesView, "items": ItemsView}
_BY_TEXT = {"Decimal": Decimal, "Fraction": Fraction}


class MirrorError(ValueError):
    """The other side sent what is no message."""


class Packer:
    """Turns values into nodes. `known` are the objects that already have the first numbers.

    class_name   of an instance of a class that both sides know, or "" for any other object
    away         the node of an object that stays on its side, or that goes back to the other one;
                 raises TypeError where that must not be
    stays        whether it stays although it is of a plain type or its subclass: a namedtuple
    """

    def __init__(
        self,
        class_name: Callable[[Any], str],
        away: Callable[[Any, Packer], Node],
        known: list[Any] | None = None,
        stays: Callable[[Any], bool] = lambda value: False,
    ) -> None:
        self._class_name, self._away, self._stays = class_name, away, stays
        self.objects = list(known or ())  # keeps them alive: their ids stay theirs
        self._numbers = {id(obj): i for i, obj in enumerate(self.objects)}
        self.nodes: dict[int, Node] = {}
        self._done = len(self.objects)

    def pack(self, value: Any) -> Any:
        """A reference to `value`; all that it needs is in `nodes` afterwards."""
        reference = self.reference(value)
        while self._done < len(self.objects):  # not recursive: lists may be linked 10^5 deep
            self.nodes[self._done] = self.node(self.objects[self._done])
            self._done += 1
        return reference

    def reference(self, value: Any) -> Any:
        """A reference to `value`, whose node is made when its turn comes."""
        if type(value) in _ATOMS:
            return value
        if isinstance(value, str | int | float) and not self._stays(value):
            return plain_atom(value)  # a subclass: its value alone
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return {"#": number}

    def _references(self, values: Any) -> list[Any]:
        values = list(values)
        if _ATOMS.issuperset(map(type, values)):
            return values
        return [self.reference(value) for value in values]

    def node(self, value: Any) -> Node:
        """The node of one object; the objects in it are put into the queue."""
        if self._stays(value):
            return self._away(value, self)
        for kind, cls in _SEQUENCES.items():
            if isinstance(value, cls):
                return [kind, self._references(cls.__iter__(value))]
        if isinstance(value, dict):
            keys, values = self._references(dict.keys(value)), self._references(dict.values(value))
            return ["d", keys, values, *_kind_of_dict(value)]
        if isinstance(value, deque):
            return ["q", self._references(value), value.maxlen]
        if (node := _simple_node(value)) is not None:
            return node
        if name := self._class_name(value):
            fields = _fields(value)
            return ["o", name, list(fields), self._references(fields.values())]
        for kind, view in _VIEWS.items():
            if isinstance(value, view):
                return ["v", kind, self._references(value)]
        return self._away(value, self)

    def plain(self, value: Any) -> Any:
        """A reference to what a number, text or tuple of a subclass holds."""
        if isinstance(value, tuple):
            return self.reference(tuple(tuple.__iter__(value)))
        return plain_atom(value)


def plain_atom(value: str | float) -> str | float:
    """What a number or text of a subclass holds."""
    if isinstance(value, str):
        return str.__add__(value, "")
    return int.__add__(value, 0) if isinstance(value, int) else float.__add__(value, 0.0)


def _kind_of_dict(value: dict[Any, Any]) -> list[str]:
    """What a node of a dictionary says besides its items: of which kind of the library's it is."""
    if isinstance(value, defaultdict):
        factory = next((n for n, t in _TYPES.items() if value.default_factory is t), "")
        return ["defaultdict", factory]
    return next(([name] for name, cls in _DICTS.items() if isinstance(value, cls)), [])


def _simple_node(value: Any) -> Node | None:
    """Of data that holds no other objects."""
    if isinstance(value, bytes | bytearray):
        return ["b", bytes(value).decode("latin-1"), isinstance(value, bytearray)]
    if isinstance(value, complex):
        return ["c", value.real, value.imag]
    if isinstance(value, range):
        return ["g", value.start, value.stop, value.step]
    if isinstance(value, Decimal | Fraction):
        return ["x", "Decimal" if isinstance(value, Decimal) else "Fraction", str(value)]
    if isinstance(value, datetime) and type(value.tzinfo) in (type(None), timezone):
        return ["m", value.isoformat()]
    if isinstance(value, time) and value.tzinfo is None:
        return ["u", value.isoformat()]
    if isinstance(value, date) and not isinstance(value, datetime):
        return ["y", value.isoformat()]
    if isinstance(value, timedelta):
        return ["z", value.days, value.seconds, value.microseconds]
    for name, cls in _TYPES.items():
        if value is cls:
            return ["k", name]
    return _array_node(value)


def _array_node(value: Any) -> Node | None:
    """Of numpy's arrays and numbers, where the program has numpy; none that hold objects."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
        return None
    array = numpy.asarray(value)
    if array.dtype.kind not in "biufcSUmM":
        return None
    data = array.tobytes().decode("latin-1")
    return ["a", array.dtype.str, list(array.shape), data, isinstance(value, numpy.generic)]


def _array(dtype: str, shape: list[int], data: str, scalar: bool) -> Any:
    import numpy  # type: ignore[import-not-found]

    if numpy.dtype(dtype).kind not in "biufcSUmM":
        raise MirrorError("an array of objects")
    array = numpy.frombuffer(data.encode("latin-1"), dtype).reshape(shape).copy()
    return array[()] if scalar else array


class Unpacker:
    """Builds values from nodes: hostile input raises MirrorError, never runs anything.

    new_object   an empty instance of the class with this name
    away         what stands for an object that is not here, or comes back: from its node, and a
                 function that gives the value of a reference
    known        objects that have the first numbers; nodes under their numbers change them
    """

    def __init__(
        self,
        new_object: Callable[[str], Any],
        away: Callable[[Node, Callable[[Any], Any]], Any],
        known: list[Any] | None = None,
    ) -> None:
        self._new_object, self._away = new_object, away
        self._objects: dict[int, Any] = dict(enumerate(known or ()))
        self._nodes: dict[int, Node] = {}
        self._building: set[int] = set()

    def unpack(self, nodes: dict[str, Node], references: list[Any]) -> list[Any]:
        """Build every node; what the references stand for."""
        try:
            self._nodes = {int(number): node for number, node in nodes.items()}
            for number in self._nodes:
                self._object(number)
            for kinds in ("o", "lq", "d", "s"):  # what hashes comes before what needs hashes
                for number, node in self._nodes.items():
                    if node[0] in kinds:
                        self._fill(self._objects[number], node)
            return [self._value(reference) for reference in references]
        except (MirrorError, MemoryError):
            raise
        except Exception as error:
            raise MirrorError(f"it cannot be read ({type(error).__name__})") from error

    def _value(self, reference: Any) -> Any:
        if type(reference) is dict:
            return self._object(reference["#"])
        if type(reference) is list:
            raise MirrorError("a list is no reference")
        return reference

    @property
    def objects(self) -> list[Any]:
        """All of them by number: the `known` of the reply's packer."""
        return [self._objects[number] for number in range(len(self._objects))]

    def _object(self, number: int) -> Any:
        if number not in self._objects:
            if number in self._building:
                raise MirrorError("an immutable value holds itself")
            self._building.add(number)
            self._objects[number] = self._build(self._nodes[number])
        return self._objects[number]

    def _build(self, node: Node) -> Any:
        """The whole of what cannot change, an empty shell of what can."""
        kind = node[0]
        if kind in ("t", "f"):
            return _SEQUENCES[kind](map(self._value, node[1]))
        if kind == "v":
            return _view(node[1], list(map(self._value, node[2])))
        if kind == "o":
            return self._new_object(node[1])
        return _EMPTY[kind](*node[1:]) if kind in _EMPTY else self._away(node, self._value)

    def _fill(self, obj: Any, node: Node) -> None:
        kind = node[0]
        if kind == "o":
            for name, reference in zip(node[2], node[3], strict=True):
                check_field(type(obj), name)
                object.__setattr__(obj, name, self._value(reference))
        elif kind == "d":
            pairs = zip(map(self._value, node[1]), map(self._value, node[2]), strict=True)
            items = list(pairs)
            obj.clear()
            (dict if isinstance(obj, Counter) else type(obj)).update(obj, items)  # its own adds
        else:
            values = list(map(self._value, node[1]))
            obj.clear()
            (obj.update if kind == "s" else obj.extend)(values)


def _dict(_keys: Any, _values: Any, kind: str = "dict", factory: str = "") -> Any:
    if kind == "defaultdict":
        return defaultdict(_TYPES[factory] if factory else None)
    return _DICTS[kind]() if kind in _DICTS else {}


def _view(kind: str, values: list[Any]) -> Any:
    if kind == "keys":
        return dict.fromkeys(values).keys()
    return dict(values).items() if kind == "items" else dict(enumerate(values)).values()


def _bytes(text: str, changes: bool) -> bytes | bytearray:
    data = text.encode("latin-1")
    return bytearray(data) if changes else data


# How a node's value begins: the whole of what holds no others, an empty one of what is filled.
_EMPTY: dict[str, Callable[..., Any]] = {
    "l": lambda _: [],
    "s": lambda _: set(),
    "d": _dict,
    "q": lambda _, maxlen: deque(maxlen=maxlen),
    "b": _bytes,
    "c": complex,
    "g": range,
    "x": lambda name, text: _BY_TEXT[name](text),
    "k": lambda name: _TYPES[name],
    "m": datetime.fromisoformat,
    "y": date.fromisoformat,
    "u": time.fromisoformat,
    "z": timedelta,
    "a": _array,
}


def check_field(cls: type, name: str) -> None:
    """What the class defines is not for the other side to replace: methods, properties,
    constants. Fields are what it does not define, leaves None, annotates or gives a slot."""
    if name.startswith("__"):
        raise MirrorError(f"the attribute {name!r} is Python's own")
    for base in cls.__mro__:
        if name in base.__dict__:
            there = base.__dict__[name]
            slot = type(there).__name__ == "member_descriptor"
            annotated = name in inspect.get_annotations(base) and not callable(there)
            if there is not None and not slot and not annotated:
                raise MirrorError(f"the attribute {name!r} is the class's own")
            return


def _fields(value: Any) -> dict[str, Any]:
    """The attributes of an instance, those in slots too."""
    fields = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                fields[name] = getattr(value, name)
    return fields
