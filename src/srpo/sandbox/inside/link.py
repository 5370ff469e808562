"""The line from the tests' process to the program's: requests, and what comes back.

Messages on descriptor 3: "?" and a request. The program's answers come on descriptor 4; before an
answer it may ask the tests to call a function that they gave it.
"""

from __future__ import annotations

import json
import sys
import threading
import types
from collections.abc import Callable
from enum import Enum
from typing import Any

from . import remote, specials, wire
from .mirror import MirrorError, Node, Packer, Unpacker, check_field

MESSAGES_OUT, MESSAGES_IN = 3, 4
_COMPARES = frozenset({*specials.BINARY, specials.CONTAINS})
_BASES = {"str": str, "int": int, "float": float, "tuple": tuple}


class Link:
    """The other process, as the tests reach it.

    module      of the tests
    asked       whether a failure may be the program's doing
    offered     the names that the program has
    shared      the classes that the program has from the tests: those of setup
    lent        the names that the tests have from the program, whether it has them or not
    tested      how sure names are to be classes, see `remote`
    """

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self.asked = False
        self.offered: frozenset[str] = frozenset()
        self.shared: frozenset[str] = frozenset()
        self.lent: frozenset[str] = frozenset()
        self.tested: dict[str, int] = {}
        self._remotes: dict[tuple[int, int], remote.Remote] = {}
        self._errors: dict[int, type] = {}
        self._lock = threading.RLock()
        self._functions: list[Any] = []  # and exceptions, that the program was given

    def ask_names(self) -> None:
        """Receive which names the program has, which it says unasked."""
        names = self._receive()["names"]
        self.offered = frozenset(name for name in names if isinstance(name, str))

    def lend(self, name: str) -> Any:
        """What the program means by a name."""
        found = self.request("name", None, (name,))
        return self._named(found, name) if issubclass(type(found), remote.Remote) else found

    def candidate(self, name: str) -> remote.Remote:
        """What a check tests: handle 0, of which it only uses that it can be called."""
        info = {"name": "function", "special": ["__call__"], "kind": "function"}
        return self._named(self._remote(0, info, remote.UNKNOWN), name)

    def _named(self, found: remote.Remote, name: str) -> remote.Remote:
        """One for each name: two of them may be the same object, and one of them no class."""
        sure = self.tested.get(name, remote.UNKNOWN)
        if not sure:
            return found
        info = found._info
        made = remote.stand_in(info)(self, found._handle, info, remote.UNKNOWN)
        object.__setattr__(made, "_makes", sure)
        return made

    def call(self, target: remote.Remote, args: Any, kwargs: Any) -> Any:
        """A call; instances of a class that the tests name are as sure as its name."""
        return self._as_sure(self.request("call", target, args, kwargs), target._makes)

    def derive(self, base: remote.Remote, name: str, body: dict[str, Any]) -> Any:
        """A class of the tests', derived from one of the program's."""
        return self._named(self.request("subclass", base, (name, body)), name)

    def as_sure_as(self, one: Any, found: Any) -> Any:
        """What an operator makes of an instance that is tested is tested too."""
        return self._as_sure(found, one._sure)

    def _unsure(self, one: Any) -> Any:
        """An object as the program returns it."""
        if not issubclass(type(one), remote.Remote) or not (one._sure or one._makes):
            return one
        return self._remote(one._handle, one._info, remote.UNKNOWN)

    def _as_sure(self, found: Any, sure: int) -> Any:
        if not sure or not issubclass(type(found), remote.Remote):
            return found
        compares = not _COMPARES.isdisjoint(found._info["special"])
        if found._info.get("kind") == "class" or not compares:
            return found  # the same object is to stay the same
        return self._remote(found._handle, found._info, sure)

    def request(self, op: str, target: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One question, and what comes of it. Raises what the program raised."""
        with self._lock:  # tests may have threads
            return self._request(op, target, args, kwargs)

    def _request(self, op: str, target: Any, args: Any, kwargs: Any) -> Any:
        self.asked = True
        packer = self._packer()
        values = [packer.pack(value) for value in (target, list(args), kwargs or {})]
        sent = list(map(self._unsure, packer.objects))  # what comes back is the program's word
        classes = [n for n, v in self._module.__dict__.items() if self._is_shared(v, n)]
        prints = sys.stdout is not sys.__stdout__  # into something of the tests'
        shared = [name for name in self.shared if self._shared(name) is not None]
        message = {"op": op, "classes": classes, "shared": shared, "values": values}
        self._say(packer, message | {"prints": prints})
        while "calls" in (answer := self._receive()):
            self._call_back(answer)
        if "raised" in answer:
            self._raise(answer, Unpacker(self._new_object, self._object))
        unpacker = Unpacker(self._new_object, self._object, sent)
        found = unpacker.unpack(answer["nodes"], [answer["value"]])[0]
        if prints and isinstance(answer.get("printed"), str):
            sys.stdout.write(answer["printed"])
        return found

    def _say(self, packer: Packer, message: dict[str, Any]) -> None:
        message["nodes"] = packer.nodes
        wire.write_frame(MESSAGES_OUT, b"?" + json.dumps(message).encode())

    def _receive(self) -> dict[str, Any]:
        frame = wire.read_frame(MESSAGES_IN)
        try:
            answer = json.loads(frame or b"")
            kinds = {"names", "raised", "value", "calls"}
            if not isinstance(answer, dict) or not answer.keys() & kinds:
                raise ValueError("no answer")
            return answer
        except (ValueError, RecursionError) as error:
            raise MirrorError("the program's answer cannot be read") from error

    def _call_back(self, question: dict[str, Any]) -> None:
        """The program calls a function that the tests gave it."""
        unpacker = Unpacker(self._new_object, self._object)
        args, kwargs = unpacker.unpack(question["nodes"], question["values"])
        function = self._function(question["calls"])
        packer, op = self._packer(), "result"
        try:
            value = function(*args, **kwargs)
            value = _finished(value) if hasattr(value, "cr_frame") else value
        except Exception as error:
            op, value = "raise", error
        self._say(packer, {"op": op, "values": [packer.pack(value)]})

    def _function(self, number: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self._functions):
            raise MirrorError("no function of the tests")
        return self._functions[number]

    def _packer(self) -> Packer:
        return Packer(self._class_name, self._away, stays=self._stays)

    def _stays(self, value: Any) -> bool:
        if isinstance(value, Enum | tuple) and type(value) is not tuple:
            return remote.is_own(value) or self._shared(type(value).__name__) is type(value)
        return remote.is_own(value)

    def _shared(self, name: Any) -> type | None:
        """The class of this name that the program has from the tests too."""
        found = self._module.__dict__.get(name) if name in self.shared else None
        own = isinstance(found, type) and found.__module__ == "tests" and found.__name__ == name
        return found if own else None

    def shared_type(self, name: Any, base: type) -> type:
        """The same, below `base`. Raises MirrorError where there is none."""
        found = self._shared(name)
        if found is None or not issubclass(found, base):
            raise MirrorError(f"{name} is no class of the tests")
        return found

    def _away(self, value: Any, packer: Packer) -> Node:
        return remote.home(value, packer, self._number_of, self.shared)

    def _number_of(self, function: Any) -> int:
        for number, known in enumerate(self._functions):
            if known is function:
                return number
        self._functions.append(function)
        return len(self._functions) - 1

    def _is_shared(self, value: Any, name: str) -> bool:
        plain = type(value) is type and not issubclass(value, BaseException | tuple)
        return plain and self._shared(name) is value

    def _class_name(self, value: Any) -> str:
        name = type(value).__name__
        cls = self._module.__dict__.get(name)
        return name if cls is type(value) and self._is_shared(cls, name) else ""

    def _new_object(self, name: str) -> Any:
        cls: Any = self._module.__dict__.get(name)
        if not self._is_shared(cls, name):
            raise MirrorError(f"{name} is no class of the tests")
        return object.__new__(cls)

    def _object(self, node: Node, value: Callable[[Any], Any]) -> Any:
        kind, first, *rest = node
        if kind == "r":
            (info,) = rest
            return self._remote(first, info, remote.UNKNOWN)
        if kind == "n":
            return self._dressed(value(first), *rest)
        if kind == "E":
            return remote.caught_class(remote.error_class(self, first, self._errors))
        if kind == "X":
            return self._error(node[1:], value)
        if kind == "h":
            return self._function(first)
        if kind == "V":
            member: Any = self.shared_type(first, Enum)
            return member[rest[0]]
        raise MirrorError(f"unknown kind {kind!r}")

    def _remote(self, handle: Any, info: dict[str, Any], sure: int) -> remote.Remote:
        """The same object is the same one here."""
        if type(handle) is not int:
            raise MirrorError("no handle")
        if (handle, sure) not in self._remotes:
            made = remote.stand_in(info)(self, handle, info, sure)
            self._remotes[handle, sure] = made
        return self._remotes[handle, sure]

    def _dressed(self, plain: Any, handle: Any, info: dict[str, Any]) -> Any:
        base = _BASES[type(plain).__name__]
        if type(handle) is not int:
            raise MirrorError("no handle")
        made = base.__new__(remote.dressed(base, info), plain)
        made.__dict__.update(_program=self, _handle=handle, _info=info, _sure=remote.UNKNOWN)
        return made

    def _error(self, said: list[Any], value: Callable[[Any], Any]) -> Exception:
        if said[0] == "h":  # one that the tests raised where the program called them
            error = self._function(said[1])
            ends = isinstance(error, remote.CONTROL) or not isinstance(error, Exception)
            return remote.CandidateError(type(error).__name__) if ends else error
        ancestry, text, args, handle, cause, fields = said
        cls = remote.error_class(self, ancestry, self._errors)
        values, cause, fields = list(map(value, args)), value(cause), value(fields)
        error = remote.make_error(cls, str(text), values, handle)
        if isinstance(fields, dict) and not isinstance(cls, remote.ErrorType):
            for name, one in fields.items():
                check_field(cls, str(name))
                vars(error)[str(name)] = one
        if isinstance(cause, BaseException):
            error.__cause__ = cause
        return error

    def _raise(self, answer: dict[str, Any], unpacker: Unpacker) -> None:
        said = answer["raised"]
        values = iter(
            unpacker.unpack(answer["nodes"], [*said[2], *said[4:]] if len(said) > 2 else [])
        )
        ends = {cls.__name__: cls for cls in remote.CONTROL}
        if answer.get("stops") is True and (control := ends.get(said[0][0])) is not None:
            raise control(*list(values)[:-2])
        error: Any = self._error(said, lambda _: next(values))
        setattr(error, remote.OF_PROGRAM, True)
        raise error


def _finished(coroutine: Any) -> Any:
    """What a coroutine of the tests' ends with. In a thread of its own: this one may have an event
    loop that waits for the program."""
    import asyncio

    found: list[Any] = []

    def run() -> None:
        try:
            found.append((asyncio.run(coroutine), None))
        except Exception as error:
            found.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = found[0]
    if error is not None:
        raise error
    return value
