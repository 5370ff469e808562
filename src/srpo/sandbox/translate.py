"""Between the sandbox's nouns and what travels to a server: requests out, results back."""

from __future__ import annotations

import json
from typing import Any

from srpo.sandbox.base import ExecutionResult, Limits, Program
from srpo.sandbox.conversation import Ran
from srpo.types import UserError

TESTS_EXTRA_S = 0.3  # the program meets its limit first: the blame is its own
TESTS_MEMORY_MB, TESTS_BYTES = 1024, 1 << 26

Request = dict[str, Any]


def program_request(program: Program, limits: Limits) -> Request:
    """What a server is asked for a program. Raises UserError when a call is not JSON."""
    try:
        calls = json.dumps([[list(c.args), c.kwargs] for c in program.calls])
    except (TypeError, ValueError) as error:
        raise UserError(f"a call's arguments are no JSON values ({error}): give JSON") from error
    mode = "serve" if program.tests else "calls" if program.entry_point else "main"
    return {
        "mode": mode,
        "code": program.code,
        "setup": program.setup,
        "imports": program.imports,
        "entry_point": program.entry_point,
        "calls": calls,
        "stdin": program.stdin,
        "time_s": limits.time_s,
        "may_wait": False,
        "memory_mb": limits.memory_mb,
        "output_bytes": limits.output_bytes,
        "scratch_mb": limits.scratch_mb,
    }


def tests_request(program: Program, request: Request) -> Request | None:
    """The tests see neither the program's source nor its limits, but for the time: they wait as
    long as a program may take on a busy machine (see `inside.clock`)."""
    if program.tests is None:
        return None
    return request | {
        "mode": "tests",
        "code": "",
        "tests": program.tests.sources,
        "time_s": request["time_s"] + TESTS_EXTRA_S,
        "may_wait": True,
        "memory_mb": TESTS_MEMORY_MB,
        "output_bytes": TESTS_BYTES,
    }


def to_result(ran: Ran, limits: Limits, mode: str) -> ExecutionResult:
    """What the program said of itself counts only when nothing is known better."""
    reply = ran.reply
    status: Any
    status, detail = reply["status"], reply["detail"]
    if ran.tests and ran.tests["status"] != "ok" and status in ("exited", "stopped"):
        status, detail = ran.tests["status"], ran.tests["detail"]
    elif ran.tests and ran.tests["status"] == "ok":
        status, detail = "ok", ""
    elif ran.end and status in ("exited", "stopped"):
        status, detail = ran.end
        unread = status not in ("ok", "exception", "memory") or (status == "ok" and mode == "serve")
        status, detail = ("exception", "its result cannot be read") if unread else (status, detail)
    elif status == "exited":
        # A program that prints may end as it likes; one that returns has returned nothing.
        status = "ok" if reply["exit_code"] == 0 and mode == "main" else "exception"
    return ExecutionResult(
        status=status,
        stdout=ran.stdout[: limits.output_bytes].decode("utf-8", "replace"),
        detail=detail,
        values=tuple(ran.values),
        seconds=reply.get("seconds", 0.0),
    )
