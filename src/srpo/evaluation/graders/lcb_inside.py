"""Runs behind the sandbox's walls, around one program: the conditions of LiveCodeBench's judge.

The host sends one job per call of `Session.step`: first the program, then the input of each test.
What is expected is never here. What comes back for a test is what the program printed or returned,
or how it failed; all of it may be forged by the program, and earns what printing it would earn.

The judge: https://github.com/LiveCodeBench/LiveCodeBench, lcb_runner/evaluation/testing_util.py.
docs/evaluation.md says what of it is odd, and where.
"""

from __future__ import annotations

import ast
import builtins
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from decimal import Decimal
from fractions import Fraction
from typing import Any

Job = dict[str, Any]
Reply = dict[str, Any]

STARRED = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools"
    " operator io sys json builtins typing"
)
# `builtins` comes after `math`, `operator` and `io`: `pow` and `open` are Python's own.
NAMED = [name for name in STARRED.split() if name not in ("builtins", "typing")]
RECURSION = 50_000
DIGITS = 50_000  # of an integer as text
MOST_BITS = 160_000  # no integer of JSON is longer
PRELUDE = "\n".join(
    [
        *(f"from {name} import *" for name in STARRED.split()),
        *(f"import {name}" for name in NAMED),
        f"sys.setrecursionlimit({RECURSION})",
        "",
    ]
)
FUNCTION = "wrapped_function"

# What the judge takes away from a program.
OF_OS = (
    "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames"
    " truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
)
MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")

PATIENCE, COMPUTES = 3, 0.02  # as in the sandbox's own clock


class TimeoutException(Exception):
    """The time of a test is up. A program that catches it goes on."""


class Session:
    """One program and its tests, one after the other, in one process."""

    def __init__(self) -> None:
        self.method: Any = None
        self.reads = True  # whether tests are standard input
        self.edition = ""
        self.alarm = Alarm()

    def step(self, job: Job) -> Reply:
        """Load the program, or run one test. Exits and the like are not caught: they end it all."""
        if "code" in job:
            return self._load(job)
        return self._read(job["stdin"]) if self.reads else self._call(job["args"])

    def _load(self, job: Job) -> Reply:
        self.reads, self.edition = job["method"] is None, job["edition"]
        self.alarm.seconds = job["seconds"]
        prepare()
        try:
            source = wrapped(job["code"]) if self.reads else f"{PRELUDE}\n\n{job['code']}"
            self.alarm.start()
            try:
                space = module(source)
            finally:
                self.alarm.stop()
            self.method = getattr(space, FUNCTION if self.reads else job["method"], None)
        except Exception as error:
            return failed("error during testing", error)
        if self.method is None:
            return {"failed": "error during testing", "why": f"no {job['method'] or FUNCTION}"}
        return {"loaded": True}

    def _read(self, text: str) -> Reply:
        before, printed = sys.stdout, io.StringIO()
        setattr(printed, "close", lambda _: 1)  # noqa: B010 - takes an argument, as the judge's does
        sys.stdout = printed
        self.alarm.start()
        try:
            with_input(self.method, text, self.edition)
        except Exception as error:
            self.alarm.stop()
            return failed(kind_of(error), error)
        finally:
            self.alarm.stop()
            sys.stdout = before
        return {"printed": printed.getvalue()}

    def _call(self, args: list[Any]) -> Reply:
        self.alarm.start()
        try:
            value = self.method(*args)
        except Exception as error:
            self.alarm.stop()
            return failed(kind_of(error), error)
        finally:
            self.alarm.stop()
        try:
            return {"returned": plain(list(value) if isinstance(value, tuple) else value)}
        except RecursionError:
            return {"returned": {"other": "nested too deep"}}


class Alarm:
    """Raises TimeoutException where the program is. The time is meant for the program: where others
    have the cores, one that computes gets its seconds of CPU time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._now, self._cpu, self._set = time.monotonic, time.process_time, signal.setitimer
        self._began = self._spent_before = 0.0
        signal.signal(signal.SIGALRM, self._rings)

    def start(self) -> None:
        """Once more from the beginning."""
        self._began, self._spent_before = self._now(), self._cpu()
        self._set(signal.ITIMER_REAL, self.seconds)

    def stop(self) -> None:
        """It will not ring."""
        self._set(signal.ITIMER_REAL, 0)

    def _rings(self, _number: int, _frame: Any) -> None:
        wall, cpu = self._now() - self._began, self._cpu() - self._spent_before
        if COMPUTES * wall < cpu < self.seconds and wall < PATIENCE * self.seconds:
            self._set(signal.ITIMER_REAL, max(0.05, self.seconds - cpu))
            return
        print("the time is up")  # the judge prints too: who goes on has it in his output
        raise TimeoutException


def prepare() -> None:
    """The process as the judge's are: what is missing, and what is at descriptor 0."""
    sys.set_int_max_str_digits(DIGITS)
    if sys.stdin is not None:
        sys.stdin.close()
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    reading, _ = os.pipe()  # a terminal at which nobody types: who reads it waits
    os.dup2(reading, 0)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - what nobody looks at
    builtins.quit = builtins.help = None  # pyright: ignore[reportAttributeAccessIssue]
    for name in OF_OS.split():
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    setattr(subprocess, "Popen", None)  # noqa: B010 - as the others
    for name in MODULES:
        sys.modules[name] = None  # pyright: ignore[reportArgumentType]


def wrapped(code: str) -> str:
    """A program for standard input as the body of a function, its imports before that. Source that
    does not parse is left as it is, and fails when it is run."""
    try:
        tree = ast.parse(unguarded(code))
        rest: list[ast.stmt] = []
        imports: list[ast.stmt] = []
        for node in tree.body:
            (imports if isinstance(node, ast.Import | ast.ImportFrom) else rest).append(node)
        arguments = ast.arguments([], [], None, [], [], None, [])
        function = ast.FunctionDef(FUNCTION, arguments, rest, [], lineno=1)
        return "\n".join([PRELUDE, ast.unparse(ast.Module(imports, [])), ast.unparse(function)])
    except Exception:
        return code


def unguarded(code: str) -> str:
    """Without the `if __name__ == '__main__':` around its last statements."""
    try:
        body = ast.parse(code).body
        last = body[-1]
        if isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'":
            return ast.unparse(ast.Module([*body[:-1], *last.body], []))
    except Exception:
        return code
    return code


def module(source: str) -> Any:
    """Run it as a module; where it says `class Solution` anywhere, an instance of that."""
    space = types.ModuleType("tmp_sol", "")
    exec(compile(source, "<string>", "exec", dont_inherit=True), space.__dict__)
    return space.Solution() if "class Solution" in source else space


def with_input(method: Any, text: str, edition: str) -> None:
    """Call it while standard input is `text`. An exit of the program's is an end like any other."""
    early, late = sys.stdin, builtins.open
    lines = iter(text.split("\n"))
    # For who took `stdin` out of `sys` before the test began: the object that it is now.
    patched = {
        "read": lambda *_: text,
        "readlines": lambda *_: text.split("\n"),
        "readline": lambda *_: next(lines),
    }
    for name, function in patched.items():
        setattr(early, name, function)
    sys.stdin = io.StringIO(text) if edition == "2025-01" else Stdin(text)
    builtins.open = lambda *_, **__: File(text)
    try:
        method()
    except SystemExit:
        pass
    finally:
        sys.stdin, builtins.open = early, late
        for name in patched:
            vars(early).pop(name, None)


class Stdin:
    """Standard input of the edition 2025-05. It has a buffer, and no lines to go through."""

    def __init__(self, text: str) -> None:
        self.text, self.lines, self.buffer = text, io.StringIO(text), Buffer(text.encode())

    def read(self, *_: Any) -> str:
        """All of it, however often."""
        return self.text

    def readline(self, *size: Any) -> str:
        """The next line."""
        return self.lines.readline(*size)

    def readlines(self, *_: Any) -> list[str]:
        """All lines, without their ends."""
        return self.text.split("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lines, name)


class Buffer:
    """Its bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, *_: Any) -> bytes:
        """All of them, however often."""
        return self.data

    def readline(self, *_: Any) -> bytes:
        """The first line, however often."""
        return self.data.split(b"\n")[0] + b"\n"


class File(io.StringIO):
    """What `builtins.open` gives: the input, whatever is opened, and nothing is written."""

    def write(self, *_: Any) -> int:
        """Forget it."""
        return 0

    def close(self) -> None:
        """Stay open."""


def kind_of(error: Exception) -> str:
    """By its text, as the judge has it."""
    late = "timeoutexception" in repr(error).lower()
    return "time limit exceeded" if late else "runtime error"


def failed(kind: str, error: Exception) -> Reply:
    """The reply for a program that raised."""
    try:
        why = f"{type(error).__name__}: {error}"[:200]
    except Exception:  # its own __str__ raises
        why = type(error).__name__
    return {"failed": kind, "why": why}


def plain(value: Any) -> Any:
    """A returned value such that the host's `==` says what it would say here: JSON, with objects
    as {"dict": ...}, fractions as {"ratio": ...}. What is equal to no JSON value is an "other":
    tuples in lists too, since JSON has lists only."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, complex) and not value.imag:
        value = value.real
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return {"other": "int"}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: plain(item) for key, item in value.items()}}
    if isinstance(value, Fraction | Decimal):
        try:
            return {"ratio": list(value.as_integer_ratio())}
        except (OverflowError, ValueError):  # infinite, or no number
            return {"other": "Decimal"}
    return {"other": type(value).__name__}
