"""Runs on a machine of a sandbox service: one program, its tests apart from it, one reply.

It is sent along with each program, together with `inside`, and knows nothing else of srpo. The
service contains us; this file keeps the program off its tests and off the reply.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from typing import Any

from srpo.sandbox.conversation import Ran, run_alone, run_tested
from srpo.sandbox.inside import lockdown, server
from srpo.sandbox.inside.scratch import Scratch
from srpo.workers.pipes import FramedPipes, PeerGone, PeerSilent

_PR_SET_DUMPABLE = 4
START_S = 20.0


def main(request: dict[str, Any], tests: dict[str, Any] | None, marker: str) -> None:
    """Print the reply as JSON on a line that begins with `marker`."""
    c = _confinement()
    program, of_tests = _Server(c), _Server(c) if tests is not None else None
    try:
        if of_tests is None or tests is None:
            ran = run_alone(program, request, lambda index, value: True)
        else:
            ran = run_tested(program, of_tests, request, tests)
    except (PeerGone, PeerSilent):  # where it cannot be confined it may end its own server
        ran = Ran({"status": "killed", "detail": "its server died"})
    else:
        for one in filter(None, (program, of_tests)):
            one.end()
    try:
        text = _as_json(ran)
    except RecursionError:
        ran.values, ran.end = [], ("exception", "its result cannot be read")
        text = _as_json(ran)
    print("\n" + marker + text, flush=True)


def _as_json(ran: Ran) -> str:
    stdout = ran.stdout.decode("utf-8", "replace")
    return json.dumps(vars(ran) | {"stdout": stdout})


class _Server:
    """A forked server, reached by pipes as on our own machines."""

    def __init__(self, c: Any) -> None:
        self.scratch = tempfile.mkdtemp()
        requests_r, requests_w = os.pipe()
        replies_r, replies_w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(requests_r, 0)
            os.dup2(replies_w, 1)
            os.closerange(3, 256)
            try:
                server.serve(Scratch(self.scratch, sized=False), c)
            finally:
                os._exit(0)
        os.close(requests_r)
        os.close(replies_w)
        self._ends = requests_w, replies_r
        self.pipes = FramedPipes(requests_w, replies_r)
        self.pipes.receive(time.monotonic() + START_S)

    def end(self) -> None:
        for fd in self._ends:
            os.close(fd)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.scratch, ignore_errors=True)


def _confinement() -> Any:
    """The C library when programs can be confined by it here, beyond what the service does.
    Memory and descriptors of these processes are closed to processes of the same user."""
    c = lockdown.libc()
    c.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    line = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            lockdown.drop_capabilities(c)
            lockdown.lock_program(c, False, 0, line[0].fileno())
            os._exit(0)
        except BaseException:
            os._exit(1)
    works = os.waitpid(pid, 0)[1] == 0
    for end in line:
        end.close()
    if works:
        lockdown.drop_capabilities(c)
    return c if works else None
