"""The process of the tests: runs them against a program that lives in another process.

The tests see the program through stand-ins only (see `remote`). Nothing of the program's code runs
here; what it returns is rebuilt from plain data. So a value's `__eq__` is Python's own, and a
program that patches `assert`, builtins or `check` patches its own process.

The last message on descriptor 3 is "!" and the outcome; for the others see `link`.
"""

from __future__ import annotations

import builtins
import json
import sys
import types
from functools import partial
from typing import Any

from . import names, oracle, wire
from .classes import defined_in, used_as_classes
from .harness import describe
from .link import MESSAGES_OUT, Link
from .remote import Remote, TestsError

TESTS, SETUP = "<tests>", "<setup>"


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
    link = Link(module)
    try:
        link.ask_names()
    except Exception as error:
        return _outcome("failed", 0, describe(error, ""))
    by_names = request["entry_point"] is None  # else the tests have the program as `candidate`
    try:
        statements = [compile(text, TESTS, "exec") for text in request["tests"]]
        setup = compile(request["setup"], SETUP, "exec", dont_inherit=True)
        link.shared = defined_in(request["setup"])
        link.tested = used_as_classes([request["setup"], *request["tests"]])
        if by_names:
            _lend_names(module, link, request)
        exec(setup, module.__dict__)
    except Exception as error:
        # A name that is missing may be one that the program should have defined.
        theirs = link.asked or (by_names and isinstance(error, NameError))
        status = "failed" if theirs and not isinstance(error, TestsError) else "broken"
        return _outcome(status, 0, f"setup: {describe(error, SETUP)}")
    if not by_names:
        _give_candidate(module, request["entry_point"], link.candidate("candidate"))
    for index, statement in enumerate(statements):
        try:
            _run_statement(statement, module, by_names)
        except Exception as error:
            detail = _explain(error, request["tests"][index], index)
            again = partial(_run_statement, statement, module, by_names)
            broken = isinstance(error, TestsError) or oracle.fails_by_itself(
                error, module.__dict__, link.lent, again
            )
            return _outcome("broken" if broken else "failed", index, detail)
    return _outcome("ok", len(statements), "")


def _run_statement(statement: types.CodeType, module: types.ModuleType, by_names: bool) -> None:
    exec(statement, module.__dict__)
    if not by_names:
        module.__dict__["check"](module.__dict__["candidate"])


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


def _lend_names(module: types.ModuleType, link: Link, request: dict[str, Any]) -> None:
    """Give the tests the names that are the program's, and the library's modules. Never a name that
    is Python's: `set` and `math.sqrt` must be what the tests mean by them."""
    setup, asserts = names.read_sources(request["setup"], list(request["tests"]))
    owners = names.owners(setup, asserts)
    for name in sorted(owners.modules):
        module.__dict__[name] = __import__(name)
    missing = owners.program - link.offered
    link.lent = owners.program
    if own := sorted(missing & names.PYTHONS):  # Python's would answer in its place
        raise NameError(f"name {own[0]!r} is not defined")
    for name in sorted(owners.program - missing):
        module.__dict__[name] = link.lend(name)
    link.asked = not owners.program.isdisjoint(setup.uses)


def _give_candidate(module: types.ModuleType, entry_point: str, candidate: Remote) -> None:
    """Under its own name too, which some checks use, unless that is Python's or imported."""
    there = module.__dict__.get(entry_point)
    imported = there is not None and getattr(there, "__module__", None) != module.__name__
    module.__dict__["candidate"] = candidate
    if not imported and not hasattr(builtins, entry_point):
        module.__dict__[entry_point] = candidate
