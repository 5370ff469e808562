"""The program's side of a test: answers what the tests' process asks, until it stops asking.

A request is {"op", ...}: look a name up, read or set an attribute, call something, do what a
special method does. See `mirror` for how values travel. What this process answers is the
program's word, nothing more.

Where the tests hand the program a function of theirs, the program has one here that asks back:
{"calls": number, ...}, answered by {"op": "result"} or {"op": "raise"}, and meanwhile by requests.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import dataclasses
import io
import json
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from types import CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any

from . import specials, wire
from .mirror import Node, Packer, Unpacker

MESSAGES_OUT, MESSAGES_IN = 3, 4
TOGETHER_S = 0.002  # items of an iterator that come within this time go in one message
DETAIL_CHARS = 300
_BASES = {"list": list, "dict": dict, "set": set, "frozenset": frozenset, "deque": deque}
_SIMPLE_BASES = (str, int, float, tuple)


def serve(module: ModuleType, candidate: Any, names: list[str]) -> None:
    """Say which names the program has, then answer requests. Returns when no more come."""
    sys.set_int_max_str_digits(0)
    known = _Known(module)
    if candidate is not None:
        known.handle(candidate)  # handle 0
    _send({"names": names})
    while (frame := wire.read_frame(MESSAGES_IN)) is not None:
        _send(_answer(json.loads(frame), known))


class _Known:
    """The objects that the tests hold handles of, the classes that both sides know, and the
    functions of the tests'."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.classes: frozenset[str] = frozenset()
        self.shared: frozenset[str] = frozenset()  # with enumerations, namedtuples and exceptions
        self.late: dict[int, Exception] = {}  # what an iterator raised after items that were sent
        self.handles: list[Any] = []
        self._numbers: dict[int, int] = {}  # of handles, by the object's id
        self._kept: set[int | None] = set()  # handles of plain containers that stay
        self._of_theirs: dict[int, Any] = {}  # what stands for functions and errors of the tests'
        self._theirs: dict[int, int] = {}  # their numbers, by the id of what stands for them
        self._loop: Any = None
        self._asking = threading.RLock()

    def packer(self, objects: list[Any] | None = None) -> Packer:
        return Packer(self._class_name, self._away, objects, self._stays)

    def unpacker(self) -> Unpacker:
        return Unpacker(self._new_object, self._object)

    def handle(self, value: Any) -> int:
        """The same object has the same one: the tests may ask whether it `is`."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.handles)
            self.handles.append(value)
        return self._numbers[id(value)]

    def wait_for(self, awaitable: Any) -> Any:
        """What the tests await, in the one event loop of this process."""
        import asyncio  # not above: few programs need it

        self._loop = self._loop or asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

        async def wait() -> Any:
            return await awaitable

        return self._loop.run_until_complete(wait())

    def _class_name(self, value: Any) -> str:
        name = type(value).__name__
        return name if name in self.classes else ""

    def keep(self, value: Any) -> None:
        """A list of the module's that the tests may look at again after it has changed."""
        if isinstance(value, tuple(_BASES.values())):
            self._kept.add(self.handle(value))

    def _stays(self, value: Any) -> bool:
        if id(value) in self._theirs or self._numbers.get(id(value)) in self._kept:
            return True
        if isinstance(value, tuple) and hasattr(type(value), "_fields"):
            return True
        return type(value).__module__ == self.module.__name__ and not self._class_name(value)

    def _is_shared(self, cls: type) -> bool:
        name = cls.__name__
        return name in self.shared and self.module.__dict__.get(name) is cls

    def _away(self, value: Any, packer: Packer) -> Node:
        if id(value) in self._theirs:
            return ["h", self._theirs[id(value)]]
        if isinstance(value, Enum) and self._is_shared(type(value)):
            return ["V", type(value).__name__, value.name]
        if isinstance(value, BaseException):
            return ["X", *self.error(value, packer)]
        if isinstance(value, type) and issubclass(value, BaseException):
            return ["E", self._ancestry(value)]
        number, info = self.handle(value), _info(value)
        if isinstance(value, _SIMPLE_BASES):
            return ["n", packer.plain(value), number, info]
        return ["r", number, info]

    def error(self, error: BaseException, packer: Packer) -> list[Any]:
        """Its class, text, arguments, handle and cause; of one of the tests' its number."""
        if id(error) in self._theirs:
            return ["h", self._theirs[id(error)]]
        try:
            text = str(error)[:DETAIL_CHARS]
        except Exception:
            text = ""
        args = [packer.reference(value) for value in error.args]
        cause = packer.reference(error.__cause__)
        fields = packer.reference(dict(vars(error)) if self._is_shared(type(error)) else None)
        return [self._ancestry(type(error)), text, args, self.handle(error), cause, fields]

    def _ancestry(self, cls: type) -> list[Any]:
        """Name and module of a class that is not the program's; name, handle and the like of its
        bases of one that is."""
        if self._is_shared(cls):
            return [cls.__name__, "setup"]
        if cls.__module__ != self.module.__name__:
            return [cls.__name__, cls.__module__]
        bases = [base for base in cls.__bases__ if issubclass(base, BaseException)]
        return [cls.__name__, self.handle(cls), [self._ancestry(base) for base in bases]]

    def _new_object(self, name: str) -> Any:
        return object.__new__(self.module.__dict__[name])

    def _object(self, node: Node, value: Callable[[Any], Any]) -> Any:
        """What a node of the tests' stands for here."""
        kind, first, *rest = node
        if kind == "r":
            return self.handles[first]
        if kind == "h":
            return self._function(first, *rest)
        if kind == "i":
            return iter(list(map(value, first)))
        if kind in ("K", "N", "V"):
            there = self.module.__dict__[first]
            if kind == "K":
                return there
            return there[rest[0]] if kind == "V" else there(*value(rest[0]))
        found = getattr(builtins, first)
        if kind == "w":
            return found
        values, number = rest
        return self._remember(number, found(*map(value, values)))  # an exception

    def _function(self, number: int, name: str, parameters: str, is_async: bool) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            with self._asking:
                return _ask_back(self, number, args, kwargs)

        if number in self._of_theirs:
            return self._of_theirs[number]
        return self._remember(number, _named(ask, name, parameters, is_async))

    def _remember(self, number: int, value: Any) -> Any:
        """What stands here for an object of the tests', by its number there."""
        if number not in self._of_theirs:
            self._of_theirs[number] = value
            self._theirs[id(value)] = number
        return self._of_theirs[number]


def _named(ask: Callable[..., Any], name: str, parameters: str, is_async: bool) -> Any:
    """A function that asks, with the name and the parameters of the tests' own: programs look at
    them (`__name__`, `inspect.signature`). `parameters` is Python, and has no default values but
    `_absent`."""
    absent = object()

    def pass_on(args: Any, kwargs: Any) -> Any:
        given = {key: value for key, value in kwargs.items() if value is not absent}
        return ask(*(value for value in args if value is not absent), **given)

    space: dict[str, Any] = {"_absent": absent, "_pass_on": pass_on}
    exec(f"{'async ' if is_async else ''}def _function{parameters}", space)
    function: Any = space["_function"]
    function.__name__ = function.__qualname__ = name
    function.__module__ = "tests"
    return function


def _info(value: Any) -> dict[str, Any]:
    """What stands for an object has to know: its class's name and special methods, its kind."""
    cls = type(value)
    info: dict[str, Any] = {"name": cls.__name__, "special": specials.of_class(cls)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        info["fields"] = [one.name for one in dataclasses.fields(value)]
    kinds = {"class": type, "generator": GeneratorType, "coroutine": CoroutineType}
    kinds |= {"function": FunctionType} | _BASES
    for kind, base in kinds.items():
        if isinstance(value, base):
            return info | {"kind": kind}
    return info


def _answer(request: dict[str, Any], known: _Known) -> dict[str, Any]:
    known.classes, known.shared = frozenset(request["classes"]), frozenset(request["shared"])
    unpacker = known.unpacker()
    target, args, kwargs = unpacker.unpack(request["nodes"], request["values"])
    packer = known.packer(unpacker.objects)
    try:
        with _printed(request["prints"]) as printed:
            value = _do(request["op"], known, target, args, kwargs)
        answer = {"value": packer.pack(value), "printed": printed.getvalue()}
    except StopIteration as stop:
        return _raised(stop, known) | {"stops": request["op"] == "send"}
    except StopAsyncIteration as stop:
        return _raised(stop, known) | {"stops": request["op"] == "anext"}
    except Exception as error:
        return _raised(error, known)
    before = {int(number): node for number, node in request["nodes"].items()}
    for number, node in before.items():
        if node[0] in "lqdso" and (after := packer.node(packer.objects[number])) != node:
            packer.nodes[number] = after
    packer.pack(None)  # what the changed ones hold
    return answer | {"nodes": packer.nodes}


@contextlib.contextmanager
def _printed(wanted: bool) -> Iterator[io.StringIO]:
    """What is printed meanwhile, where the tests want to see it."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text) if wanted else contextlib.nullcontext():
        yield text


def _raised(error: Exception, known: _Known) -> dict[str, Any]:
    packer = known.packer()
    try:
        found = known.error(error, packer)
        packer.pack(None)
        return {"raised": found, "nodes": packer.nodes}
    except Exception:  # its arguments cannot cross
        text = type(error).__name__
        said = [["Exception", "builtins"], text, [], known.handle(error), None, None]
        return {"raised": said, "nodes": {}}


def _do(op: str, known: _Known, target: Any, args: Any, kwargs: Any) -> Any:
    if op == "call":
        return target(*args, **kwargs)
    if op == "name":
        known.keep(known.module.__dict__[args[0]])
        return known.module.__dict__[args[0]]
    return _DOES[op](known, target, *args)


def _next(known: _Known, target: Any, most: int) -> tuple[list[Any], bool]:
    """Up to `most` items, as many as come quickly, and whether they were the last."""
    if (error := known.late.pop(id(target), None)) is not None:
        raise error
    items: list[Any] = []
    end = time.monotonic() + TOGETHER_S
    try:
        while len(items) < most and (not items or time.monotonic() < end):
            items.append(next(target))
    except StopIteration:
        return items, True
    except Exception as error:
        if not items:
            raise
        known.late[id(target)] = error
    return items, False


def _plain(_known: _Known, target: Any) -> Any:
    """What a list, a set or a dictionary of a class of the program's own holds."""
    base = next(base for base in _BASES.values() if isinstance(target, base))
    return dict(dict.items(target)) if base is dict else base(base.__iter__(target))  # type: ignore


def _subclass(known: _Known, target: Any, name: str, body: dict[str, Any]) -> Any:
    body["__module__"] = known.module.__name__
    return types.new_class(name, (target,), {}, lambda space: space.update(body))


def _leave(_known: _Known, target: Any, error: Any) -> Any:
    return target.__exit__(type(error) if error is not None else None, error, None)


def _leave_later(known: _Known, target: Any, error: Any) -> Any:
    found = target.__aexit__(type(error) if error is not None else None, error, None)
    return known.wait_for(found)


_DOES: dict[str, Callable[..., Any]] = {
    "get": lambda _known, target, name: getattr(target, name),
    "set": lambda _known, target, name, value: setattr(target, name, value),
    "del": lambda _known, target, name: delattr(target, name),
    "special": lambda _known, target, name, *args: specials.DOES[name](target, *args),
    "is": lambda _known, target, value: isinstance(value, target),
    "below": lambda _known, target, value: issubclass(value, target),
    "copy": lambda _known, target, deep: copy.deepcopy(target) if deep else copy.copy(target),
    "subclass": _subclass,
    "next": _next,
    "plain": _plain,
    "send": lambda _known, target, value: target.send(value),
    "enter": lambda _known, target: target.__enter__(),
    "exit": _leave,
    "await": _Known.wait_for,
    "aenter": lambda known, target: known.wait_for(target.__aenter__()),
    "aexit": _leave_later,
    "aiter": lambda _known, target: target.__aiter__(),
    "anext": lambda known, target: known.wait_for(target.__anext__()),
}


def _ask_back(known: _Known, number: int, args: Any, kwargs: Any) -> Any:
    """Call a function of the tests'. They may ask for more before they answer."""
    packer = known.packer()
    values = [packer.pack(list(args)), packer.pack(kwargs)]
    _send({"calls": number, "values": values, "nodes": packer.nodes})
    while (frame := wire.read_frame(MESSAGES_IN)) is not None:
        request = json.loads(frame)
        if request["op"] not in ("result", "raise"):
            _send(_answer(request, known))
            continue
        (value,) = known.unpacker().unpack(request["nodes"], request["values"])
        if request["op"] == "raise":
            raise value
        return value
    raise SystemExit("the tests have ended")


def _send(message: dict[str, Any]) -> None:
    wire.write_frame(MESSAGES_OUT, json.dumps(message).encode())
