"""A pool of warm Python servers that fork once per program, whatever confines them.

A mechanism supplies `launch(scratch)`, which starts `inside.server` with that scratch
directory. This file does the rest: handing servers to threads, the outer watchdog, replacing
servers that died, and telling a program's fault from ours.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from srpo.sandbox.base import ExecutionResult, Limits, Program, SandboxError
from srpo.sandbox.pipes import FramedPipes, PeerGone, PeerSilent
from srpo.types import UserError

START_S = 20.0  # a cold start is about 0.1 s; machines under load are slow
WATCHDOG_S = 1.0  # what a server may take beyond its program's own limit
STRIKES = 3
CONTROL = Program("def f():\n    return 1\n", "f", ())


class Launched(Protocol):
    """A started server process: its pipes, and its end. `end` kills it and waits for it."""

    pid: int
    write_fd: int
    read_fd: int

    def end(self) -> str:
        """Kill, reap, close the pipes; what it wrote to standard error before it was ready."""
        ...


Launch = Callable[[str], Launched]


class ServerLost(Exception):
    """The server died (or else fell silent) while it ran a program."""

    def __init__(self, words: str, died: bool) -> None:
        super().__init__(words)
        self.died = died


class ControlLost(Exception):
    """The server died or fell silent with our own program in it."""


class WarmServer:
    """One server process and its scratch directory. Used by one thread at a time."""

    def __init__(self, launch: Launch) -> None:
        self.scratch = tempfile.mkdtemp(prefix="srpo-sandbox-")
        self.programs = 0
        # Also at interpreter exit, should nobody close us.
        self._remove_scratch = weakref.finalize(self, shutil.rmtree, self.scratch, True)
        self._process: Launched | None = None
        try:
            self._process = launch(self.scratch)
            self._pipes = FramedPipes(self._process.write_fd, self._process.read_fd)
            self._pipes.receive(time.monotonic() + START_S)
        except (PeerGone, PeerSilent, OSError, RuntimeError) as error:
            why = self.close() or f"{type(error).__name__}: {error}"
            raise SandboxError(f"a sandbox server did not start: {why.strip()[-300:]}") from error

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else -1

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one program. Raises ServerLost."""
        payload = json.dumps(request).encode()
        deadline = time.monotonic() + request["time_s"] + WATCHDOG_S
        self.programs += 1
        try:
            self._pipes.send(payload, deadline)
            return json.loads(self._pipes.receive(deadline))
        except PeerSilent as error:
            raise ServerLost("its server stopped answering", died=False) from error
        except (PeerGone, ValueError) as error:
            raise ServerLost("its server died", died=True) from error

    def close(self) -> str:
        """End the process, remove the scratch directory."""
        words = ""
        if self._process is not None:
            words = self._process.end()
            self._process = None
        self._remove_scratch()
        return words


class WarmSandbox:
    """`Sandbox` over up to `workers` warm servers, each started when first needed."""

    mechanism = "warm"
    programs_reach_servers = False  # whether a program can signal the server that runs it

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.programs_each = programs_each(workers)
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[WarmServer] = []
        self._all: set[WarmServer] = set()
        self._closed = False
        # sandlock ties a server's life to the thread that started it: one thread, ours.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox-start")

    def launch(self, scratch: str) -> Launched:
        raise NotImplementedError

    def run(self, program: Program, limits: Limits) -> ExecutionResult:
        request = _request(program, limits)
        with self._slots:
            reply = self._run_or_blame(request)
        return _result(reply, limits, prints=program.entry_point is None)

    def _run_or_blame(self, request: dict[str, Any]) -> dict[str, Any]:
        """A server lost with a program may be the program's doing or not: it is tried again
        alone, in fresh servers that have just run a control program. Only who takes STRIKES
        servers down in a row is to blame; a control lost is our failure. So is a server that
        died behind walls through which no program can signal it: somebody else killed it."""
        words, strikes, lost_controls = "", 0, 0
        while strikes < STRIKES:
            try:
                return self._once(request, proven=strikes + lost_controls > 0)
            except ControlLost as error:
                lost_controls += 1
                if lost_controls == STRIKES:
                    raise SandboxError(f"sandbox servers keep failing: {error}") from error
            except ServerLost as error:
                words, strikes = str(error), strikes + 1
                if strikes == STRIKES and error.died and not self.programs_reach_servers:
                    raise SandboxError(f"sandbox servers keep failing: {error}") from error
        detail = f"{words}, {STRIKES} times in a row"
        return {"status": "killed", "detail": detail, "envelope": None, "stdout": ""}

    def _once(self, request: dict[str, Any], proven: bool) -> dict[str, Any]:
        """Run it in any server, or in a `proven` one: fresh, after a control program."""
        server = self._take(fresh=proven)
        keep = False
        try:
            if proven:
                self._control(server)
            reply = server.call(request)
            keep = not reply["dirty"] and server.programs < self.programs_each
            return reply
        finally:
            self._give(server, keep)

    @staticmethod
    def _control(server: WarmServer) -> None:
        try:
            server.call(_request(CONTROL, Limits()))
        except ServerLost as error:
            raise ControlLost(str(error)) from error

    def _take(self, fresh: bool) -> WarmServer:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            if self._idle and not fresh:
                return self._idle.pop()
            spare = self._idle.pop() if self._idle else None
        if spare is not None:  # `workers` servers at most
            self._give(spare, keep=False)
        try:
            server = self._starter.submit(WarmServer, self.launch).result()
        except RuntimeError as error:
            if isinstance(error, SandboxError):
                raise
            raise SandboxError("the sandbox is closed") from error
        with self._lock:
            self._all.add(server)
        return server

    def _give(self, server: WarmServer, keep: bool) -> None:
        with self._lock:
            keep = keep and not self._closed
            if keep:
                self._idle.append(server)
            else:
                self._all.discard(server)
        if not keep:
            server.close()

    def pids(self) -> list[int]:
        """Process ids of the servers that are alive now (for the doctor and for tests)."""
        with self._lock:
            return [server.pid for server in self._all]

    def close(self) -> None:
        """End the idle servers now, and each of the others when its program has ended."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for server in idle:
            server.close()
        for _ in range(self._workers):  # those at work end when their program does
            self._slots.acquire()
        for _ in range(self._workers):
            self._slots.release()
        self._starter.shutdown()

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def programs_each(workers: int) -> int:
    """After how many programs a server is replaced. sandlock 0.9 keeps a descriptor open in
    the host for each process it has seen, until the server ends: a quarter of those that the
    host may open are given to that. A fresh server costs about 0.1 s."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    share = soft // (4 * workers) if soft != resource.RLIM_INFINITY else 500
    return max(20, min(500, share))


def server_command(scratch: str, confined: bool) -> list[str]:
    """How to start `inside.server` with nothing of the surrounding environment."""
    inside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside")
    start = (  # by location: the directory around it is not readable from inside
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('inside', {inside + '/__init__.py'!r},"
        f" submodule_search_locations=[{inside!r}])\n"
        "sys.modules['inside'] = u.module_from_spec(spec)\n"
        f"from inside.server import main; main({scratch!r}, {confined!r})\n"
    )
    return [base_python(), "-s", "-S", "-P", "-c", start]


def server_environment(scratch: str) -> dict[str, str]:
    """A fixed hash seed: the same program gives the same output in every server."""
    return {
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
    }


def base_python() -> str:
    """The interpreter itself: behind a virtual environment, which it does not need."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _request(program: Program, limits: Limits) -> dict[str, Any]:
    try:
        calls = json.dumps([[list(c.args), c.kwargs] for c in program.calls])
    except (TypeError, ValueError) as error:
        raise UserError(f"a call's arguments are no JSON values ({error}): give JSON") from error
    return {
        "code": program.code,
        "entry_point": program.entry_point,
        "calls": calls,
        "stdin": program.stdin,
        "time_s": limits.time_s,
        "memory_mb": limits.memory_mb,
        "output_bytes": limits.output_bytes,
        "scratch_mb": limits.scratch_mb,
    }


def _result(reply: dict[str, Any], limits: Limits, prints: bool) -> ExecutionResult:
    """The envelope was written in the program's process: read it as hostile text."""
    status, detail, values = reply["status"], reply["detail"], ()
    if reply["envelope"] is not None:
        try:
            said = json.loads(reply["envelope"])
            status, detail = str(said["status"]), str(said["detail"])[:500]
            values = tuple(said["values"])
        except (ValueError, KeyError, TypeError, RecursionError):
            status, detail, values = "exception", "its result cannot be read", ()
        if status not in ("ok", "exception", "memory"):
            status, detail, values = "exception", "its result cannot be read", ()
    elif status == "exited":
        # A program that prints may end as it likes; one that returns has returned nothing.
        status = "ok" if reply["exit_code"] == 0 and prints else "exception"
    return ExecutionResult(
        status=status,
        stdout=reply["stdout"][: limits.output_bytes],
        detail=detail,
        values=values,
        seconds=reply.get("seconds", 0.0),
    )
