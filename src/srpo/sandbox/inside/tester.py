"""The process of the tests: runs them against a program that lives in another process.

The tests see the program through `Remote` objects only. Nothing of the program's code runs
here; what it returns is rebuilt from plain data. So a value's `__eq__` is Python's own, and a
program that patches `assert`, builtins or `check` patches its own process.

Messages: on descriptor 3 "?" and a request for the program, or "!" and the outcome; the
program's answers come on descriptor 4.
"""

from __future__ import annotations

import builtins
import json
import sys
import types
from typing import Any

from . import names, wire
from .harness import describe
from .mirror import MirrorError, Packer, Unpacker

MESSAGES_OUT, MESSAGES_IN = 3, 4
TESTS, SETUP = "<tests>", "<setup>"


class CandidateError(Exception):
    """The program raised something that is no built-in exception."""


def run(request: dict[str, Any]) -> None:
    """Run the tests; the last message says {"status", "passed", "detail"}."""
    import random  # not above: the server, which loads this file, has its own way of loading it

    sys.set_int_max_str_digits(0)
    random.seed(0)  # tests that draw inputs draw the same ones each time
    outcome = _run(request)
    wire.write_frame(MESSAGES_OUT, b"!" + json.dumps(outcome).encode())


def _run(request: dict[str, Any]) -> dict[str, Any]:
    module = types.ModuleType("tests")
    module.__dict__["__builtins__"] = builtins
    sys.modules["tests"] = module
    program = _Program(module)
    by_names = request["entry_point"] is None  # else the tests have the program as `candidate`
    try:
        offered = program.ask_names()
    except Exception as error:
        return _outcome("failed", 0, describe(error, ""))
    try:
        statements = [compile(text, TESTS, "exec") for text in request["tests"]]
        setup = compile(request["setup"], SETUP, "exec", dont_inherit=True)
        if by_names:
            _lend_names(module, program, offered, request)
        exec(setup, module.__dict__)
    except Exception as error:
        # A name that is missing may be one that the program should have defined.
        theirs = program.asked or (by_names and isinstance(error, NameError))
        status = "failed" if theirs else "broken"
        return _outcome(status, 0, f"setup: {describe(error, SETUP)}")
    if not by_names:
        _give_candidate(module, request["entry_point"], Remote(program, 0))
    for index, statement in enumerate(statements):
        try:
            exec(statement, module.__dict__)
            if not by_names:
                module.__dict__["check"](module.__dict__["candidate"])
        except Exception as error:
            detail = _explain(error, request["tests"][index], index)
            broken = not by_names and _undefined(error, module)
            return _outcome("broken" if broken else "failed", index, detail)
    return _outcome("ok", len(statements), "")


def _outcome(status: str, passed: int, detail: str) -> dict[str, Any]:
    return {"status": status, "passed": passed, "detail": detail}


def _explain(error: Exception, source: str, index: int) -> str:
    lines, at, trace = source.split("\n"), 0, error.__traceback__
    while trace is not None:
        at = trace.tb_lineno if trace.tb_frame.f_code.co_filename == TESTS else at
        trace = trace.tb_next
    line = lines[at - 1].strip()[:200] if 0 < at <= len(lines) else ""
    what = "" if isinstance(error, AssertionError) and not str(error) else describe(error, "")
    return f"test {index}: " + (f"{what}: {line}" if what else line)


def _lend_names(
    module: types.ModuleType, program: _Program, offered: list[str], request: dict[str, Any]
) -> None:
    """Give the tests the names that are the program's, and the library's modules. Never a name that
    is Python's: `set` and `math.sqrt` must be what the tests mean by them."""
    setup, asserts = names.read_sources(request["setup"], list(request["tests"]))
    owners = names.owners(setup, asserts)
    for name in sorted(owners.modules):
        module.__dict__[name] = __import__(name)
    missing = owners.program - set(offered)
    if own := sorted(missing & names.PYTHONS):  # Python's would answer in its place
        raise NameError(f"name {own[0]!r} is not defined")
    for name in sorted(owners.program - missing):
        module.__dict__[name] = program.request("name", None, (name,))
    program.asked = not owners.program.isdisjoint(setup.uses)


def _give_candidate(module: types.ModuleType, entry_point: str, candidate: Remote) -> None:
    """Under its own name too, which some checks use, unless that is Python's or imported."""
    there = module.__dict__.get(entry_point)
    imported = there is not None and getattr(there, "__module__", None) != module.__name__
    module.__dict__["candidate"] = candidate
    if not imported and not hasattr(builtins, entry_point):
        module.__dict__[entry_point] = candidate


def _undefined(error: Exception, module: types.ModuleType) -> bool:
    """Whether the tests use a name that nobody defines: no program could help it."""
    if type(error) is not NameError or not error.name:  # the program's own has no name here
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    inner = trace.tb_frame.f_code.co_filename if trace is not None else ""
    return inner in (TESTS, SETUP) and not hasattr(module, error.name)


class Remote:
    """Something of the program's that is no data: a function, a class, an instance.

    It is equal to itself only and is neither true nor false; it can be called, and its
    attributes read and set, each by a request to the program.
    """

    __slots__ = ("_handle", "_program")

    def __init__(self, program: _Program, handle: int) -> None:
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_handle", handle)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._program.request("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._program.request("get", self, (name,))

    def __setattr__(self, name: str, value: Any) -> None:
        self._program.request("set", self, (name, value))

    def __bool__(self) -> bool:
        raise TypeError("the program returned an object that is neither true nor false")

    def __deepcopy__(self, _: Any) -> Remote:
        return self


class _Program:
    """The other process, as the tests reach it."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self.asked = False  # whether a failure may be the program's doing

    def ask_names(self) -> list[str]:
        names = self._receive()["names"]
        return [name for name in names if isinstance(name, str)]

    def request(self, op: str, target: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.asked = True
        packer = Packer(self._class_name, _handle)
        values = [packer.pack(value) for value in (target, list(args), kwargs or {})]
        sent = packer.objects
        message = {"op": op, "classes": self._classes(), "values": values, "nodes": packer.nodes}
        wire.write_frame(MESSAGES_OUT, b"?" + json.dumps(message).encode())
        answer = self._receive()
        if "raised" in answer:
            _raise(str(answer["raised"]), str(answer.get("text", "")))
        unpacker = Unpacker(self._new_object, lambda number: Remote(self, number), sent)
        return unpacker.unpack(answer["nodes"], [answer["value"]])[0]

    def _receive(self) -> dict[str, Any]:
        frame = wire.read_frame(MESSAGES_IN)
        try:
            answer = json.loads(frame or b"")
            if not isinstance(answer, dict) or not answer.keys() & {"names", "raised", "value"}:
                raise ValueError("no answer")
            return answer
        except (ValueError, RecursionError) as error:
            raise MirrorError("the program's answer cannot be read") from error

    def _classes(self) -> list[str]:
        return [n for n, v in self._module.__dict__.items() if self._is_own_class(v, n)]

    def _is_own_class(self, value: Any, name: str) -> bool:
        own = type(value) is type and value.__module__ == "tests"
        return own and value.__name__ == name

    def _class_name(self, value: Any) -> str:
        name = type(value).__name__
        cls = self._module.__dict__.get(name)
        return name if cls is type(value) and self._is_own_class(cls, name) else ""

    def _new_object(self, name: str) -> Any:
        cls: Any = self._module.__dict__.get(name)
        if not self._is_own_class(cls, name):
            raise MirrorError(f"{name} is no class of the tests")
        return object.__new__(cls)


def _handle(value: Any) -> int:
    if type(value) is Remote:
        return value._handle
    raise TypeError(f"a test passes a {type(value).__name__}, which cannot cross to the program")


def _raise(name: str, text: str) -> None:
    cls = getattr(builtins, name, None)
    control = StopIteration, StopAsyncIteration  # would end a loop of the tests, quietly
    if isinstance(cls, type) and issubclass(cls, Exception) and not issubclass(cls, control):
        try:
            error = cls(text)
        except Exception:  # UnicodeDecodeError wants more
            error = CandidateError(f"{name}: {text}")
        raise error
    raise CandidateError(f"{name}: {text}")
