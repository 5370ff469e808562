"""What happens in the forked child: run the program, tell the host what it returned.

Messages go out as frames of JSON on descriptor 3, which is not standard output. Untrusted code
shares this process, so it can forge every one of them; but what is expected is not here, so a
forged message earns what the same value returned would earn.
"""

from __future__ import annotations

import atexit
import builtins
import json
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from . import service, wire

DETAIL_CHARS = 300
SOURCE = "<solution>"
TOGETHER_S = 0.002  # values that come within this time go in one message
MESSAGES_OUT = 3


def run(request: dict[str, Any]) -> None:
    """Run one program to its end; the last message is {"end": status, "detail"}."""
    sys.set_int_max_str_digits(0)  # as judges have it: time is limited
    try:
        for message in _execute(request):
            _send(message)
        status, detail = "ok", ""
    except MemoryError:
        status, detail = "memory", f"MemoryError: more than {request['memory_mb']} MiB"
    except SystemExit as stop:
        clean = request["mode"] == "main" and stop.code in (None, 0)
        status = "ok" if clean else "exception"
        detail = "" if clean else f"exited early: SystemExit({str(stop.code)[:DETAIL_CHARS]})"
    except BaseException as error:
        status, detail = "exception", describe(error)
    if status == "ok" and request["mode"] == "main":
        status, detail = _wound_up()
    _flush()
    _send(json.dumps({"end": status, "detail": detail}))


def _wound_up() -> tuple[str, str]:
    """What Python does when a program has come to its end: its threads may go on, which may be all
    of it, and what it registered for the end is run. Status and detail."""
    try:
        me = threading.current_thread()
        while others := [t for t in threading.enumerate() if t is not me and not t.daemon]:
            others[0].join()
        atexit._run_exitfuncs()
    except BaseException as error:
        return "exception", describe(error)
    return "ok", ""


def _execute(request: dict[str, Any]) -> Iterator[str]:
    """The messages of a program, as its mode asks: none, its values, or answers to its tests."""
    mode = request["mode"]
    name = "__main__" if mode == "main" else "solution"
    module = load(request["code"], name, request["setup"], request["imports"])
    if mode == "calls":
        function = find(module, request["entry_point"])
        yield from _values(function, json.loads(request["calls"]))
    elif mode == "serve":
        target = find(module, request["entry_point"]) if request["entry_point"] else None
        service.serve(module, target, names(module))


def _values(function: Any, calls: list[Any]) -> Iterator[str]:
    """What the calls return, several in a message when they are quick."""
    values: list[str] = []
    sent = 0.0
    try:
        for args, kwargs in calls:
            if values and time.monotonic() - sent > TOGETHER_S:
                yield _message(values)
                sent = time.monotonic()
            values.append(dumps(function(*args, **kwargs)))
    finally:
        if values:
            yield _message(values)


def _message(values: list[str]) -> str:
    message = '{"values": [' + ", ".join(values) + "]}"
    values.clear()
    return message


def load(code: str, name: str, setup: str, imports: str) -> types.ModuleType:
    """Run `code` as a module, after what its problem gives it."""
    module = types.ModuleType(name)  # a real one: dataclasses and typing look it up
    space = module.__dict__
    space["__builtins__"] = builtins
    sys.modules[name] = module
    exec(compile(imports, "<imports>", "exec", dont_inherit=True), space)
    given = {key: value for key, value in space.items() if not key.startswith("__")}
    with suppress(Exception):  # it may need the program's names; the tests' process reports it
        exec(compile(setup, "<setup>", "exec", dont_inherit=True), space)
    exec(compile(code, SOURCE, "exec", dont_inherit=True), space)
    space["__given__"] = {key for key, value in given.items() if space.get(key) is value}
    return module


def names(module: types.ModuleType) -> list[str]:
    """What the program and its setup define; nothing that was imported for them."""
    space = module.__dict__
    return [name for name in space if not name.startswith("__") and name not in space["__given__"]]


def find(module: types.ModuleType, entry_point: str) -> Any:
    """ "f", "Class.method" or "Class().method"."""
    first, *rest = entry_point.replace("()", "").split(".")
    if first not in module.__dict__ or first in module.__dict__["__given__"]:
        raise NameError(f"{first} is not defined")
    found = module.__dict__[first]
    return getattr(found(), rest[0]) if rest else found


def dumps(value: Any) -> str:
    """`value` as JSON: tuples become lists, subclasses their base. No sets, no objects."""
    return json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(f"returned a dict with a key of type {type(key).__name__}")
        return {str(key): _plain(item) for key, item in value.items()}
    raise TypeError(f"returned a {type(value).__name__}, which JSON cannot carry")


def describe(error: BaseException, source: str = SOURCE) -> str:
    """Type, message and the source's own line number, on one line."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    line = line or (lines[-1] if lines else None)
    try:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
    except BaseException:
        text = type(error).__name__
    return text[:DETAIL_CHARS] + (f" (line {line})" if line else "")


def _send(message: str) -> None:
    wire.write_frame(MESSAGES_OUT, message.encode())


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        try:
            if stream is not None:
                stream.flush()
        except BaseException:  # the program may have closed or replaced it
            continue
