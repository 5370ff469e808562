"""What the tests see of the program: stand-ins for its objects, classes and exceptions.

Nothing of the program's code runs here. A stand-in has the special methods that its object has, and
each of them is a request to the program: `len(x)`, `x[0]`, `for y in x`, `with x`, `await x`.

**What is expected does not go there to be judged.** Of the methods that take another value (`==`,
`<`, `-`, `in`) the program is asked only about values that are its own. A stand-in is equal to no
plain value and cannot be added to one: else an object that is equal to everything would pass
every test. There are two exceptions. Instances that the tests make themselves, of what they use as
a class (see `classes`), are what is tested; their operators are the program's. And an object of
a subclass of a plain type (a namedtuple, a list with more methods) compares as that type does.
"""

from __future__ import annotations

import builtins
import dataclasses
import dis
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import islice
from types import CoroutineType, FunctionType, GeneratorType
from typing import Any

from . import specials
from .mirror import MirrorError, Node, Packer

UNKNOWN, NAMED, TESTED = 0, 1, 2  # how sure it is that an instance is of a class that is tested
SOURCES = ("<tests>", "<setup>")
OF_PROGRAM = "_of_program"  # an attribute of the exceptions that the program raised
_RAISES = dis.opmap["RAISE_VARARGS"]
MOST_ITEMS = 256  # of the program's at a time
MOST_SENT = 1_000_000  # of an iterator of the tests'
_KINDS = {"generator": GeneratorType, "coroutine": CoroutineType, "function": FunctionType}
_KINDS |= {"list": list, "dict": dict, "set": set, "frozenset": frozenset, "deque": deque}
_BASES = frozenset({"list", "dict", "set", "frozenset", "deque"})
CONTROL = StopIteration, StopAsyncIteration  # would end a loop of the tests, quietly
_INSPECTED = ("__name__", "__qualname__", "__wrapped__", "__annotations__", "__defaults__")
_INSPECTED += ("__kwdefaults__", "__code__", "__self__", "__func__", "__members__", "__slots__")


class CandidateError(Exception):
    """The program raised something that is no exception here."""


class TestsError(Exception):
    """The tests do what they cannot: no program could help it."""

    __test__ = False


class Remote:
    """Something of the program's that is no data: a function, a class, an instance."""

    __slots__ = (
        "__weakref__",
        "_ahead",
        "_done",
        "_handle",
        "_info",
        "_makes",
        "_program",
        "_sure",
    )

    def __init__(self, program: Any, handle: int, info: dict[str, Any], sure: int) -> None:
        fill = object.__setattr__
        fill(self, "_program", program)
        fill(self, "_handle", handle)
        fill(self, "_info", info)
        fill(self, "_sure", sure)
        fill(self, "_makes", UNKNOWN)  # how sure the instances are that a call makes
        fill(self, "_ahead", [])  # items that have come already, the next one last
        fill(self, "_done", 0)  # how many are asked for at a time; -1: none are left

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in _INSPECTED:
            raise AttributeError(name)
        return self._program.request("get", self, (name,))

    def __setattr__(self, name: str, value: Any) -> None:
        self._program.request("set", self, (name, value))

    def __delattr__(self, name: str) -> None:
        self._program.request("del", self, (name,))

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return _KINDS.get(self._info.get("kind"), type(self))

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return self._program.request("get", self, ("__doc__",))

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._program.request("get", self, ("__dict__",))

    def __repr__(self) -> str:
        return self._program.request("special", self, ("__repr__",))

    def __str__(self) -> str:
        return self._program.request("special", self, ("__str__",))

    def __format__(self, how: str) -> str:
        return self._program.request("special", self, ("__format__", how))

    def __copy__(self) -> Any:
        return self._program.request("copy", self, (False,))

    def __deepcopy__(self, _: Any) -> Any:
        return self._program.request("copy", self, (True,))

    def __instancecheck__(self, value: Any) -> bool:
        return is_own(value) and self._program.request("is", self, (value,)) is True

    def __subclasscheck__(self, cls: Any) -> bool:
        return is_own(cls) and self._program.request("below", self, (cls,)) is True

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        if len(bases) > 1 or self._info.get("kind") != "class":
            raise TestsError("a test derives a class from several of the program's")
        return (_Derived.__new__(_Derived, "base", (), {"_of": self}, whole=True),)


class _Derived(type):
    """Of classes that the tests derive from the program's: they are made there, with methods that
    are the tests'. `super()` finds no class in them."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any], whole: bool = False
    ) -> Any:
        if whole:
            return super().__new__(cls, name, bases, body)
        of: Any = vars(bases[0])["_of"]
        kept = {n: v for n, v in body.items() if n not in _OF_CLASSES}
        return of._program.derive(of, name, kept)

    def __init__(cls, *_: Any, **__: Any) -> None:
        """Nothing is left to do."""


_OF_CLASSES = ("__module__", "__qualname__", "__classcell__", "__orig_bases__", "__annotations__")


def _call(self: Remote, *args: Any, **kwargs: Any) -> Any:
    return self._program.call(self, args, kwargs)


def _iterate(self: Remote) -> Any:
    if "__next__" in self._info["special"]:
        object.__setattr__(self, "_done", max(1, self._done) if self._done >= 0 else -1)
        return self
    return iter(self._program.request("special", self, ("__iter__",)))


def _next(self: Remote) -> Any:
    """One by one for `next`; in a loop more at a time, as long as they come quickly."""
    if not self._ahead and self._done >= 0:
        most = max(1, self._done)
        items, last = self._program.request("next", self, (most,))
        if not isinstance(items, list) or not isinstance(last, bool) or not (items or last):
            raise MirrorError("no items")
        fill = object.__setattr__
        fill(self, "_ahead", items[::-1])
        fill(self, "_done", -1 if last else min(2 * self._done, MOST_ITEMS))
    if not self._ahead:
        fresh = self._info.get("kind") != "generator"  # an iterator may go on after its end
        object.__setattr__(self, "_done", 0 if fresh else -1)
        raise StopIteration
    return self._ahead.pop()


def _send(self: Remote, value: Any) -> Any:
    return self._program.request("send", self, (value,))


def _await_send(self: Remote, _: Any) -> Any:
    """What an event loop of the tests does with a coroutine: it has its result at once."""
    raise StopIteration(self._program.request("await", self))


def _await(self: Remote) -> Iterator[Any]:
    return self._program.request("await", self)
    yield


def _throw(self: Remote, error: Any, *_: Any) -> Any:
    raise error


def _close(self: Remote) -> None:
    """The program's process ends with the tests."""


async def _enter_later(self: Remote) -> Any:
    return self._program.request("aenter", self)


def _leave(self: Remote, _: Any, error: Any, __: Any) -> bool:
    return bool(self._program.request("exit", self, (error,))) and _may_end(error)


async def _leave_later(self: Remote, _: Any, error: Any, __: Any) -> bool:
    return bool(self._program.request("aexit", self, (error,))) and _may_end(error)


def _may_end(error: BaseException | None) -> bool:
    """Whether a context of the program's may end an exception: not what an assert says, nor what
    comes of an answer that is of the wrong kind; else a test within it could not fail."""
    wrong = (AssertionError, TypeError, AttributeError, NameError, MirrorError)
    return not isinstance(error, wrong) or hasattr(error, OF_PROGRAM) or is_raised(error)


def is_raised(error: BaseException) -> bool:
    """Whether the tests raised it themselves, by a `raise` that is no assertion."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    if code is None or trace is None or isinstance(error, AssertionError):
        return False
    return code.co_filename in SOURCES and code.co_code[trace.tb_lasti] == _RAISES


async def _next_later(self: Remote) -> Any:
    return self._program.request("anext", self)


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "__iter__": _iterate,
    "__next__": _next,
    "__await__": _await,
    "__enter__": lambda self: self._program.request("enter", self),
    "__exit__": _leave,
    "__aenter__": _enter_later,
    "__aexit__": _leave_later,
    "__aiter__": lambda self: self._program.request("aiter", self),
    "__anext__": _next_later,
}


def _asks(name: str) -> Callable[..., Any]:
    def ask(self: Any, *args: Any) -> Any:
        return self._program.request("special", self, (name, *args))

    return ask


def _compares(name: str) -> Callable[..., Any]:
    """`==`, `<`, `-`: asked about the program's own values, else by what is plain in it."""

    def compare(self: Any, other: Any) -> Any:
        if is_own(other) or self._sure == TESTED:
            found = self._program.request("special", self, (name, other))
            return self._program.as_sure_as(self, found)
        if self._info.get("kind") not in _BASES:
            return NotImplemented
        plain = self._program.request("plain", self)
        method = getattr(plain, name, None)
        return NotImplemented if method is None else method(other)

    return compare


def _contains(self: Any, item: Any) -> bool:
    """By its items, compared here, where it has any."""
    if is_own(item) or self._sure == TESTED:
        return self._program.request("special", self, (specials.CONTAINS, item))
    if "__iter__" in self._info["special"]:
        return any(item is one or item == one for one in self)
    if self._sure == NAMED:
        return self._program.request("special", self, (specials.CONTAINS, item))
    raise TypeError(f"argument of type {self._info['name']!r} has no items to look at")


def _method(name: str) -> Callable[..., Any]:
    if name in _METHODS:
        return _METHODS[name]
    if name == specials.CONTAINS:
        return _contains
    return _compares(name) if name in specials.BINARY else _asks(name)


METHODS = {name: _method(name) for name in specials.NAMES}
_classes: dict[Any, type] = {}
_dressed: set[type] = set()


def stand_in(info: dict[str, Any]) -> type[Remote]:
    """The class of stand-ins for objects whose class has this name and these special methods."""
    there = {str(name) for name in info["special"]}
    fields = tuple(map(str, info.get("fields", ())))
    key = (str(info["name"]), info.get("kind"), frozenset(there), fields)
    if key not in _classes:
        body: dict[str, Any] = {n: METHODS[n] for n in METHODS if n in there}
        if "unhashable" in there:
            body["__hash__"] = None
        elif "__eq__" in body and "__hash__" not in body:
            body["__hash__"] = object.__hash__
        if info.get("kind") in ("generator", "coroutine"):
            body |= {"throw": _throw, "close": _close} if info["kind"] == "coroutine" else {}
            body["send"] = _await_send if info["kind"] == "coroutine" else _send
        if fields:  # for dataclasses.asdict and its like
            made = dataclasses.make_dataclass("made", fields)
            body["__dataclass_fields__"] = made.__dataclass_fields__  # type: ignore[attr-defined]
        body["__doc__"] = vars(Remote)["__doc__"]
        _classes[key] = type(key[0], (Remote,), body | {"__slots__": ()})
    return _classes[key]


def dressed(base: type, info: dict[str, Any]) -> type:
    """A subclass of a number's, text's or tuple's type: it is that in all respects, and has the
    attributes of the program's object besides, and those special methods that `base` lacks."""
    there = {str(name) for name in info["special"]}
    key = (base, str(info["name"]), frozenset(there))
    if key not in _classes:
        body: dict[str, Any] = {"__getattr__": Remote.__getattr__, "__deepcopy__": _itself}
        body["__repr__"] = _asks("__repr__")
        if base is not str:
            body["__str__"] = _asks("__str__")
        for name in METHODS:
            method = getattr(base, name, None)
            if name in there and name in specials.BINARY:
                body[name] = _compares_dressed(name, method)
            elif name in there and (method is None or method is getattr(object, name, None)):
                body[name] = METHODS[name]
        body["__hash__"] = base.__hash__
        _classes[key] = type(key[1], (base,), body)
        _dressed.add(_classes[key])
    return _classes[key]


def _itself(self: Any, _: Any) -> Any:
    return self


def _compares_dressed(name: str, method: Any) -> Callable[..., Any]:
    def compare(self: Any, other: Any) -> Any:
        if is_own(other):
            return self._program.request("special", self, (name, other))
        return NotImplemented if method is None else method(self, other)

    return compare


class ErrorType(type):
    """The classes that stand for the program's exceptions."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made: Any = cls
        return made._program.request("call", cls, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        made: Any = cls
        return made._program.request("get", cls, (name,))


def _error_attribute(self: Any, name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return self._program.request("get", self, (name,))


def error_class(program: Any, ancestry: list[Any], known: dict[int, type]) -> type:
    """The class for an exception's, as the program describes it with its own bases."""
    if len(ancestry) == 2 and ancestry[1] == "setup":
        return program.shared_type(ancestry[0], Exception)
    if len(ancestry) == 2:
        return _python_error(str(ancestry[0]), str(ancestry[1]))
    name, handle, bases = ancestry
    if _number(handle) not in known:
        made = tuple(error_class(program, base, known) for base in bases)
        body = {"_program": program, "_handle": handle}
        body |= {"__getattr__": _error_attribute, "__str__": lambda self: self._text}
        known[handle] = ErrorType(str(name), made, body)
    return known[handle]


def caught_class(cls: type) -> type:
    """What an `except` of the tests is given for a class: one that catches no assertion of theirs,
    whatever the program calls by its name."""
    if isinstance(cls, ErrorType) or not issubclass(AssertionError, cls):
        return cls
    return type(cls.__name__, (cls,), {})


def _number(value: Any) -> int:
    if type(value) is not int:
        raise MirrorError("no number")
    return value


def _python_error(name: str, module: str) -> type:
    """Python's or its library's, as far as it is loaded here; never one that ends a loop."""
    there = sys.modules.get(module) if module.split(".")[0] in sys.stdlib_module_names else None
    found = vars(there).get(name) if there else None
    if isinstance(found, type) and issubclass(found, Exception):
        return CandidateError if issubclass(found, CONTROL) else found
    return CandidateError


def make_error(of: type, text: str, args: list[Any], handle: int) -> Exception:
    """An instance that is not raised yet."""
    cls: Any = of
    if isinstance(of, ErrorType):
        error: Any = cls.__new__(cls)
        error.args, error._text, error._handle = tuple(args), text, handle
        return error
    try:
        return cls(*args)
    except Exception:  # JSONDecodeError wants more
        pass
    try:
        error = cls.__new__(cls)
        error.args = tuple(args)
        return error
    except Exception:
        return CandidateError(f"{cls.__name__}: {text}")


def is_own(value: Any) -> bool:
    """Whether a value stands for one of the program's, and goes home as it."""
    cls = type(value)
    if issubclass(cls, Remote) or cls is ErrorType or type(cls) is ErrorType:
        return True
    return "_program" in getattr(value, "__dict__", ()) and cls in _dressed


def home(
    value: Any, packer: Packer, number_of: Callable[[Any], int], classes: frozenset[str]
) -> Node:
    """The node by which an object of the tests' goes to the program. Both sides know `classes`."""
    if is_own(value):
        return ["r", value._handle]
    of = type(value).__name__
    if isinstance(value, Enum) and of in classes:
        return ["V", of, value.name]
    if isinstance(value, tuple) and of in classes:
        return ["N", of, packer.plain(value)]
    if isinstance(value, BaseException):
        name = next(c.__name__ for c in type(value).__mro__ if c.__module__ == "builtins")
        return ["e", name, [packer.reference(one) for one in value.args], number_of(value)]
    if isinstance(value, Iterator):
        return ["i", [packer.reference(one) for one in islice(value, MOST_SENT)]]
    name = getattr(value, "__name__", None)
    if isinstance(name, str) and vars(builtins).get(name) is value:
        return ["w", name]
    if isinstance(value, type) and value.__module__ == "tests" and value.__name__ in classes:
        return ["K", value.__name__]
    if callable(value):
        is_async = inspect.iscoroutinefunction(value)
        known_as = name if isinstance(name, str) else type(value).__name__
        return ["h", number_of(value), known_as, _parameters(value), is_async]
    raise TestsError(
        f"a test passes a {type(value).__name__}, which cannot cross to the program; a class of"
        " its own belongs into `setup`"
    )


def _parameters(function: Any) -> str:
    """The head and the body of a function that passes on what it is given (`service._named`)."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):  # some of Python's own have none
        return "(*args, **kwargs): return _pass_on(args, kwargs)"
    starred = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    heads, places, names, bare = [], [], [], not starred
    for one in parameters:
        default = "" if one.default is one.empty else "=_absent"
        if one.kind is one.KEYWORD_ONLY and bare:
            heads, bare = [*heads, "*"], False
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        heads.append(stars + one.name + default)
        by_name = one.kind is one.KEYWORD_ONLY or (
            one.kind is one.POSITIONAL_OR_KEYWORD and default and not starred
        )
        if one.kind is one.VAR_KEYWORD:
            names.append(heads[-1])
        elif by_name:
            names.append(f"{one.name!r}: {one.name}")
        else:
            places.append(stars + one.name)
    body = f"_pass_on(({''.join(p + ', ' for p in places)}), {{{', '.join(names)}}})"
    return f"({', '.join(heads)}): return {body}"
