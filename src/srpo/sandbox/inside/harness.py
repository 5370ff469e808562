"""What happens in the forked child: run the program, report what it returned.

The report is an envelope {"status", "detail", "values"} as JSON, on a pipe that is not
standard output, behind a nonce. Untrusted code shares this process, so it can forge the
envelope; but the expected values are not here, so a forged envelope earns what the same
values returned would earn.
"""

from __future__ import annotations

import builtins
import json
import sys
import traceback
import types
from typing import Any

DETAIL_CHARS = 300
SOURCE = "<solution>"


def run(request: dict[str, Any]) -> bytes:
    """Run one program to its end; the envelope as bytes. Never raises."""
    values: list[str] = []
    try:
        status, detail = _execute(request, values)
    except MemoryError:
        status, detail = "memory", f"MemoryError: more than {request['memory_mb']} MiB"
    except SystemExit as stop:
        clean = request["entry_point"] is None and stop.code in (None, 0)
        status = "ok" if clean else "exception"
        detail = "" if clean else f"exited early: SystemExit({str(stop.code)[:DETAIL_CHARS]})"
    except BaseException as error:
        status, detail = "exception", describe(error)
    _flush()
    head = json.dumps({"status": status, "detail": detail})
    return (head[:-1] + ', "values": [' + ",".join(values) + "]}").encode()


def _execute(request: dict[str, Any], values: list[str]) -> tuple[str, str]:
    entry_point = request["entry_point"]
    name = "__main__" if entry_point is None else "solution"
    module = types.ModuleType(name)  # a real one: dataclasses and typing look it up
    module.__dict__["__builtins__"] = builtins
    sys.modules[name] = module
    exec(compile(request["code"], SOURCE, "exec", dont_inherit=True), module.__dict__)
    if entry_point is None:
        return "ok", ""
    function = _find(module, entry_point)
    for call in json.loads(request["calls"]):
        values.append(dumps(function(*call[0], **call[1])))
    return "ok", ""


def _find(module: types.ModuleType, entry_point: str) -> Any:
    first, *rest = entry_point.split(".")
    if first not in module.__dict__:
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


def describe(error: BaseException) -> str:
    """Type, message and the program's own line number, on one line."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == SOURCE]
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    line = line or (lines[-1] if lines else None)
    try:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
    except BaseException:
        text = type(error).__name__
    return text[:DETAIL_CHARS] + (f" (line {line})" if line else "")


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        try:
            if stream is not None:
                stream.flush()
        except BaseException:  # the program may have closed or replaced it
            continue
