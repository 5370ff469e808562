"""Programs on a cluster's sandbox machines, through SandboxFusion's HTTP interface."""

from __future__ import annotations

import base64
import io
import json
import os
import secrets
import threading
import urllib.error
import urllib.request
import zipfile
from functools import cache
from typing import Any

from srpo.errors import SandboxError
from srpo.sandbox.base import Accept, ExecutionResult, Limits, Program, accept_all
from srpo.sandbox.conversation import Ran
from srpo.sandbox.launch import INSIDE
from srpo.sandbox.translate import Request, program_request, tests_request, to_result
from srpo.types import UserError

START_S = 10.0  # what the service may take beyond the program's own limit
QUEUE_S = 120.0  # and to begin with it, when it is busy
ALONG = ("workers/pipes.py", "sandbox/conversation.py", "sandbox/remote.py")


class SandboxFusion:
    """`Sandbox` over a service that keeps to SandboxFusion's `POST /run_code`.

    Each program is sent with a small server (`remote`), which keeps it off its tests as on our
    own machines, as far as that kernel can: by seccomp, and Landlock where it is there.
    Expected values of `function` and `stdin` tests stay here. Python 3.11 or newer is needed on
    the service's machines.

    What this does *not* isolate: what the service does not. It gives each program a container;
    network, files and memory beyond ours are its operator's configuration. A program is run
    to its end: with `function` tests it is not stopped at the first wrong value.
    """

    mechanism = "sandboxfusion"

    def __init__(self, url: str | None, workers: int) -> None:
        if not url or not url.startswith(("http://", "https://")):
            raise UserError(
                f"verifier.sandbox_url is {url!r}: give the service's address, for example"
                " http://sandbox:8080"
            )
        self._url = url.rstrip("/") + "/run_code"
        self._slots = threading.BoundedSemaphore(workers)
        self.bounds = {"disk": "the service", "memory": "the service"}

    def run(self, program: Program, limits: Limits, accept: Accept = accept_all) -> ExecutionResult:
        request = program_request(program, limits)
        tests = tests_request(program, request)
        marker = secrets.token_hex(16)
        with self._slots:
            answer = self._post(_script(request, tests, marker), limits.time_s)
        return to_result(_ran(answer, marker), limits, request["mode"])

    def close(self) -> None:
        """Nothing of ours stays open."""

    def _post(self, script: str, time_s: float) -> dict[str, Any]:
        body = {"code": script, "language": "python", "run_timeout": time_s + START_S}
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=time_s + START_S + QUEUE_S) as reply:
                answer = json.load(reply)
        except (OSError, ValueError) as error:  # URLError and timeouts are OSErrors
            raise SandboxError(f"the sandbox service at {self._url} failed: {error}") from error
        if not isinstance(answer, dict) or answer.get("status") == "SandboxError":
            raise SandboxError(f"the sandbox service failed: {str(answer)[:300]}")
        return answer


def _script(request: Request, tests: Request | None, marker: str) -> str:
    """A program that unpacks our server and runs it."""
    arguments = json.dumps([request, tests, marker])
    return (
        "import base64, json, os, sys, tempfile\n"
        "fd, path = tempfile.mkstemp('.zip')\n"
        f"os.write(fd, base64.b64decode({_bundle()!r}))\n"
        "os.close(fd)\n"
        "sys.path.insert(0, path)\n"
        "from srpo.sandbox.remote import main\n"
        "os.unlink(path)\n"
        f"main(*json.loads({arguments!r}))\n"
    )


@cache
def _bundle() -> str:
    """The files that the other side needs, as a zip archive in base64."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for empty in ("srpo/__init__.py", "srpo/sandbox/__init__.py", "srpo/workers/__init__.py"):
            archive.writestr(empty, "")
        for name in ALONG:
            archive.write(os.path.join(package, name), f"srpo/{name}")
        for name in sorted(os.listdir(INSIDE)):
            if name.endswith(".py"):
                archive.write(os.path.join(INSIDE, name), f"srpo/sandbox/inside/{name}")
    return base64.b64encode(buffer.getvalue()).decode()


def _ran(answer: dict[str, Any], marker: str) -> Ran:
    """What our server over there printed last. Raises SandboxError when it printed nothing: the
    process that prints it is not the program's, nor in its reach where seccomp works."""
    result = answer.get("run_result") or {}
    lines = str(result.get("stdout", "")).splitlines()
    said = next((line for line in reversed(lines) if line.startswith(marker)), None)
    if said is None:
        why = f"{result.get('status')}: {str(result.get('stderr', ''))[-300:]}"
        raise SandboxError(f"the sandbox service gave no result ({why.strip()})")
    try:
        ran = json.loads(said[len(marker) :])
        end = tuple(ran["end"]) if ran["end"] else None
        stdout = bytearray(ran["stdout"].encode("utf-8", "replace"))
        if ran["unready"]:
            raise SandboxError(
                f"a process of the service ended before it was ready: {ran['unready']}"
            )
        return Ran(ran["reply"], stdout, ran["values"], end, ran["tests"])
    except RecursionError:  # the program's doing
        return Ran({"status": "exception", "detail": "its result cannot be read"})
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxError(f"the sandbox service's result cannot be read: {error}") from error
