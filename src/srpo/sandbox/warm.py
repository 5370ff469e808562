"""Sandboxes of warm Python servers that fork once per program, whatever confines them.

A mechanism supplies `launch(scratch)`, which starts `inside.server` with that scratch
directory. This file does the rest: the outer watchdog, replacing servers that died, and
telling a program's fault from ours.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from srpo.errors import SandboxError
from srpo.sandbox.base import Accept, Call, ExecutionResult, Limits, Program, accept_all
from srpo.sandbox.conversation import Ran, run_alone, run_tested
from srpo.sandbox.interpreter import Interpreter, ours
from srpo.sandbox.servers import Home, Launched, Servers, WarmServer
from srpo.sandbox.translate import Request, program_request, tests_request, to_result
from srpo.workers.pipes import PeerGone, PeerSilent

STRIKES = 3
CONTROL = Program("def f():\n    return 1\n", "f", (Call(),))


class ServerLost(Exception):
    """A server died, fell silent or could not begin, while it ran a program.

    blameless  whether no program can have brought it about, behind walls that hold
    """

    def __init__(self, words: str, blameless: bool) -> None:
        super().__init__(words)
        self.blameless = blameless


class ControlLost(Exception):
    """The server died or fell silent with our own program in it."""


class WarmSandbox:
    """`Sandbox` over up to `workers` warm servers for programs, and as many for tests."""

    mechanism = "warm"
    programs_reach_servers = False  # whether a program can signal the server that runs it

    def __init__(self, workers: int, python: Interpreter | None = None) -> None:
        self.python = python or ours()
        # bwrap ties a server's life to the thread that started it: one thread, ours.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox-start")
        self._workers = workers
        self._home: Home | None = None  # made when the first server is
        self.bounds: dict[str, str] = {}  # what bounds what, known then
        self._programs = Servers(self._start, workers)
        self._tests = Servers(self._start, workers)  # never run a program

    def launch(self, scratch: str) -> Launched:
        """Start a server whose scratch directory is `scratch`. Each mechanism's own."""
        raise NotImplementedError

    def _start(self) -> WarmServer:
        try:
            return self._starter.submit(self._start_here).result()
        except OSError as error:
            raise SandboxError(f"a sandbox server did not start: {error}") from error
        except RuntimeError as error:
            if isinstance(error, SandboxError):
                raise
            raise SandboxError("the sandbox is closed") from error

    def _start_here(self) -> WarmServer:
        self._home = self._home or Home(2 * self._workers)
        server = WarmServer(self.launch, self._home)
        self.bounds = {
            "disk": "a file system of its own" if server.sized else "counted every 50 ms",
            "memory": "a control group" if self._home.group else "address space",
        }
        return server

    def run(self, program: Program, limits: Limits, accept: Accept = accept_all) -> ExecutionResult:
        request = program_request(program, limits)
        tests = tests_request(program, request)
        return to_result(self._run_or_blame(request, tests, accept), limits, request["mode"])

    def _run_or_blame(self, request: Request, tests: Request | None, accept: Accept) -> Ran:
        """A server lost with a program may be the program's doing or not: it is tried again
        alone, in fresh servers that have just run a control program. Only who takes STRIKES
        servers down in a row is to blame; a control lost is our failure. So is a server that
        died behind walls through which no program can signal it: somebody else killed it. So is
        a process that ended before any of the program ran in it."""
        words, strikes, lost_controls = "", 0, 0
        while strikes < STRIKES:
            try:
                return self._once(request, tests, accept, proven=strikes + lost_controls > 0)
            except ControlLost as error:
                lost_controls += 1
                if lost_controls == STRIKES:
                    raise SandboxError(f"sandbox servers keep failing: {error}") from error
            except ServerLost as error:
                words, strikes = str(error), strikes + 1
                if strikes == STRIKES and error.blameless:
                    raise SandboxError(f"sandbox servers keep failing: {error}") from error
        detail = f"{words}, {STRIKES} times in a row"
        return Ran({"status": "killed", "detail": detail})

    def _once(self, request: Request, tests: Request | None, accept: Accept, proven: bool) -> Ran:
        """Run it in any servers, or in `proven` ones: fresh, after a control program."""
        server = self._programs.take(fresh=proven)
        tests_server, whole, clean = None, False, False
        try:
            if self._home is not None:
                self._home.allow(max(request["memory_mb"], tests["memory_mb"] if tests else 0))
            if proven:
                self._control(server)
            if tests is None:
                ran = self._guarded(lambda: run_alone(server, request, accept))
            else:
                of_tests = tests_server = self._tests.take(fresh=proven)
                ran = self._guarded(lambda: run_tested(server, of_tests, request, tests))
            whole, clean = True, not ran.reply["dirty"]
            return ran
        finally:
            self._programs.give(server, keep=clean)
            if tests_server is not None:
                self._tests.give(tests_server, keep=whole)

    def _control(self, server: WarmServer) -> None:
        request = program_request(CONTROL, Limits())
        try:
            self._guarded(lambda: run_alone(server, request, accept_all))
        except ServerLost as error:
            raise ControlLost(str(error)) from error

    def _guarded(self, run: Callable[[], Ran]) -> Ran:
        try:
            ran = run()
        except PeerSilent as error:
            raise ServerLost("its server stopped answering", blameless=False) from error
        except (PeerGone, ValueError) as error:
            blameless = not self.programs_reach_servers
            raise ServerLost("its server died", blameless) from error
        if ran.unready:
            raise ServerLost(f"a process ended before it was ready: {ran.unready}", blameless=True)
        return ran

    def pids(self) -> list[int]:
        """Process ids of the servers that are alive now (for the doctor and for tests)."""
        return self._programs.pids() + self._tests.pids()

    def close(self) -> None:
        """End the idle servers now, and each of the others when its program has ended."""
        self._programs.close()
        self._tests.close()
        self._starter.shutdown()
        if self._home is not None:
            self._home.close()

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
