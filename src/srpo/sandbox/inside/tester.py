"""The process of the tests: runs them against a program that lives in another process.

The tests see the program through `Remote` objects only. Nothing of the program's code runs
here; what it returns is rebuilt from plain data. So a value's `__eq__` is Python's own, and a
program that patches `assert`, builtins or `check` patches its own process.

Messages: on descriptor 3 "?" and a request for the program, or "!" and the outcome; the
program's answers come on descriptor 4.
"""

from __future__ import annotations

import ast
import builtins
import json
import random
import sys
import types
from typing import Any

from . import wire
from .harness import describe
from .mirror import MirrorError, Packer, Unpacker

MESSAGES_OUT, MESSAGES_IN = 3, 4
TESTS, SETUP = "<tests>", "<setup>"


class CandidateError(Exception):
    """The program raised something that is no built-in exception."""


def run(request: dict[str, Any]) -> None:
    """Run the tests; the last message says {"status", "passed", "detail"}."""
    sys.set_int_max_str_digits(0)
    random.seed(0)  # tests that draw inputs draw the same ones each time
    outcome = _run(request)
    wire.write_frame(MESSAGES_OUT, b"!" + json.dumps(outcome).encode())


def _run(request: dict[str, Any]) -> dict[str, Any]:
    module = types.ModuleType("tests")
    module.__dict__["__builtins__"] = builtins
    sys.modules["tests"] = module
    program = _Program(module)
    try:
        names = program.ask_names()
    except Exception as error:
        return {"status": "failed", "passed": 0, "detail": describe(error, "")}
    try:
        statements = [compile(text, TESTS, "exec") for text in request["tests"]]
        setup = compile(request["setup"], SETUP, "exec", dont_inherit=True)
        if request["entry_point"] is None:
            sources = [request["setup"], *request["tests"]]
            lent = _lend_names(module, program, names, sources)
            program.asked = bool(lent & _used_in(request["setup"]))
        exec(setup, module.__dict__)
    except Exception as error:
        # A name that is missing may be one that the program should have defined.
        status = "failed" if program.asked or isinstance(error, NameError) else "broken"
        return {"status": status, "passed": 0, "detail": f"setup: {describe(error, SETUP)}"}
    if request["entry_point"] is not None:
        module.__dict__["candidate"] = Remote(program, 0)
        module.__dict__[request["entry_point"]] = Remote(program, 0)  # some checks use its name
    for index, statement in enumerate(statements):
        try:
            exec(statement, module.__dict__)
            if request["entry_point"] is not None:
                module.__dict__["check"](module.__dict__["candidate"])
        except Exception as error:
            detail = _explain(error, request["tests"][index], index)
            return {"status": "failed", "passed": index, "detail": detail}
    return {"status": "ok", "passed": len(statements), "detail": ""}


def _explain(error: Exception, source: str, index: int) -> str:
    lines, at, trace = source.split("\n"), 0, error.__traceback__
    while trace is not None:
        at = trace.tb_lineno if trace.tb_frame.f_code.co_filename == TESTS else at
        trace = trace.tb_next
    line = lines[at - 1].strip()[:200] if 0 < at <= len(lines) else ""
    what = "" if isinstance(error, AssertionError) and not str(error) else describe(error, "")
    return f"test {index}: " + (f"{what}: {line}" if what else line)


def _lend_names(
    module: types.ModuleType, program: _Program, names: list[str], sources: list[str]
) -> set[str]:
    """Give the tests the program's names that they use; which these are. Never one that Python
    defines, since `set` and `math.sqrt` must be what the tests mean by them."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    lent = set()
    for name in sorted(set().union(*map(_used_in, sources))):
        if name in sys.stdlib_module_names and name not in called:
            module.__dict__[name] = __import__(name)
        elif name in names and not hasattr(builtins, name):
            module.__dict__[name] = program.request("name", None, (name,))
            lent.add(name)
    return lent


def _used_in(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


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
