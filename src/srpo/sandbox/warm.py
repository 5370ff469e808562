"""Sandboxes of warm Python servers that fork once per program, whatever confines them.

A mechanism supplies `launch(scratch)`, which starts `inside.server` with that scratch
directory. This file does the rest: the outer watchdog, replacing servers that died, and
telling a program's fault from ours.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from srpo.sandbox.base import (
    Accept,
    Call,
    ExecutionResult,
    Limits,
    Program,
    SandboxError,
    accept_all,
)
from srpo.sandbox.conversation import Ran, run_alone, run_tested
from srpo.sandbox.servers import Launched, Servers, WarmServer, programs_each
from srpo.sandbox.translate import Request, program_request, tests_request, to_result
from srpo.workers.pipes import PeerGone, PeerSilent

STRIKES = 3
CONTROL = Program("def f():\n    return 1\n", "f", (Call(),))


class ServerLost(Exception):
    """A server died (or else fell silent) while it ran a program."""

    def __init__(self, words: str, died: bool) -> None:
        super().__init__(words)
        self.died = died


class ControlLost(Exception):
    """The server died or fell silent with our own program in it."""


class WarmSandbox:
    """`Sandbox` over up to `workers` warm servers for programs, and as many for tests."""

    mechanism = "warm"
    programs_reach_servers = False  # whether a program can signal the server that runs it

    def __init__(self, workers: int) -> None:
        # sandlock ties a server's life to the thread that started it: one thread, ours.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox-start")
        self.programs_each = programs_each(workers)
        self._programs = Servers(self.launch, self._starter, workers)
        self._tests = Servers(self.launch, self._starter, workers)  # never run a program

    def launch(self, scratch: str) -> Launched:
        raise NotImplementedError

    def run(self, program: Program, limits: Limits, accept: Accept = accept_all) -> ExecutionResult:
        request = program_request(program, limits)
        tests = tests_request(program, request)
        return to_result(self._run_or_blame(request, tests, accept), limits, request["mode"])

    def _run_or_blame(self, request: Request, tests: Request | None, accept: Accept) -> Ran:
        """A server lost with a program may be the program's doing or not: it is tried again
        alone, in fresh servers that have just run a control program. Only who takes STRIKES
        servers down in a row is to blame; a control lost is our failure. So is a server that
        died behind walls through which no program can signal it: somebody else killed it."""
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
                if strikes == STRIKES and error.died and not self.programs_reach_servers:
                    raise SandboxError(f"sandbox servers keep failing: {error}") from error
        detail = f"{words}, {STRIKES} times in a row"
        return Ran({"status": "killed", "detail": detail})

    def _once(self, request: Request, tests: Request | None, accept: Accept, proven: bool) -> Ran:
        """Run it in any servers, or in `proven` ones: fresh, after a control program."""
        server = self._programs.take(fresh=proven)
        tests_server, keep = None, False
        try:
            if proven:
                self._control(server)
            if tests is None:
                ran = _guarded(lambda: run_alone(server, request, accept))
            else:
                of_tests = tests_server = self._tests.take(fresh=proven)
                ran = _guarded(lambda: run_tested(server, of_tests, request, tests))
            keep = True
            return ran
        finally:
            clean = keep and not ran.reply["dirty"]
            self._programs.give(server, clean and self._lasts(server))
            if tests_server is not None:
                self._tests.give(tests_server, keep and self._lasts(tests_server))

    def _lasts(self, server: WarmServer) -> bool:
        server.programs += 1
        return server.programs < self.programs_each

    @staticmethod
    def _control(server: WarmServer) -> None:
        try:
            _guarded(lambda: run_alone(server, program_request(CONTROL, Limits()), accept_all))
        except ServerLost as error:
            raise ControlLost(str(error)) from error

    def pids(self) -> list[int]:
        """Process ids of the servers that are alive now (for the doctor and for tests)."""
        return self._programs.pids() + self._tests.pids()

    def close(self) -> None:
        """End the idle servers now, and each of the others when its program has ended."""
        self._programs.close()
        self._tests.close()
        self._starter.shutdown()

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _guarded(run: Callable[[], Ran]) -> Ran:
    try:
        return run()
    except PeerSilent as error:
        raise ServerLost("its server stopped answering", died=False) from error
    except (PeerGone, ValueError) as error:
        raise ServerLost("its server died", died=True) from error
