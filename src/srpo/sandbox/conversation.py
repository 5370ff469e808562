"""The host's side of one program that runs: what it says, and what its tests ask of it.

The program's messages are hostile text. The tests run in a server of their own, which never
runs a program; the host carries their questions and the answers, and is the referee.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from srpo.sandbox.pipes import FramedPipes, wait

WATCHDOG_S = 1.0  # what a server may take beyond its program's own limit
STOP_S = 5.0  # what a server may take to end a program

Accept = Callable[[int, Any], bool]
Reply = dict[str, Any]


class Server(Protocol):
    pipes: FramedPipes


@dataclass
class Ran:
    """What came of a program: the server's reply, what the program said of itself, and the
    outcome of its tests."""

    reply: Reply
    values: list[Any] = field(default_factory=list)
    end: tuple[str, str] | None = None  # status, detail
    tests: Reply | None = None

    def hear(self, message: bytes) -> bool:
        """Take one message; False when it was not the end."""
        try:
            said = json.loads(message)
            if "end" in said:
                self.end = str(said["end"]), str(said["detail"])[:500]
                return True
            self.values += list(said["values"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self.end = "exception", "its result cannot be read"
        return False


def run_alone(server: Server, request: dict[str, Any], accept: Accept) -> Ran:
    """Until it ends, or returned a value that is not accepted: then it is stopped."""
    deadline = monotonic() + request["time_s"] + WATCHDOG_S
    ran = Ran({})
    stopped = False
    server.pipes.post(b"R" + json.dumps(request).encode())
    while True:
        frame = server.pipes.receive(deadline)
        if frame[:1] == b"E":
            ran.reply = json.loads(frame[1:])
            return ran
        heard = len(ran.values)
        if ran.end is None and not stopped and not ran.hear(frame[1:]):
            useless = ran.end is not None  # it sends what cannot be read
            if useless or not all(accept(i, ran.values[i]) for i in range(heard, len(ran.values))):
                server.pipes.post(b"S")
                stopped = True


def run_tested(
    server: Server, tests_server: Server, request: dict[str, Any], tests: dict[str, Any]
) -> Ran:
    """Carry questions and answers between the tests and the program until one of them ends."""
    deadline = monotonic() + tests["time_s"] + WATCHDOG_S
    ran = Ran({})
    owed = 1  # answers that the program owes its tests: its names come unasked
    tests_over = False
    for one, what in ((server, request), (tests_server, tests)):
        one.pipes.post(b"R" + json.dumps(what).encode())
    while True:
        for frame in _arrived(tests_server.pipes):
            if frame[:1] == b"E":
                tests_over = True
                ran.tests = ran.tests or _ended_itself(json.loads(frame[1:]))
            elif frame[1:2] == b"!":
                ran.tests = json.loads(frame[2:])
            else:
                owed += 1
                server.pipes.post(b"M" + frame[2:])
        for frame in _arrived(server.pipes):
            if frame[:1] == b"E":
                ran.reply = json.loads(frame[1:])
            elif frame[1:].startswith(b'{"end"'):
                ran.hear(frame[1:])
            elif owed:
                owed -= 1
                tests_server.pipes.post(b"M" + frame[1:])
            else:
                ran.end = "exception", "it answered what it was not asked"
        if ran.tests or ran.end or (ran.reply and owed):
            break
        wait([server.pipes, tests_server.pipes], deadline)
    _end_both(ran, server, tests_server, tests_over)
    return ran


def _end_both(ran: Ran, server: Server, tests_server: Server, tests_over: bool) -> None:
    deadline = monotonic() + STOP_S
    if not ran.reply:
        server.pipes.post(b"S")
    if not tests_over:
        tests_server.pipes.post(b"S")
    while not ran.reply:
        frame = server.pipes.receive(deadline)
        ran.reply = json.loads(frame[1:]) if frame[:1] == b"E" else {}
    while not tests_over:
        tests_over = tests_server.pipes.receive(deadline)[:1] == b"E"


def _arrived(pipes: FramedPipes) -> Iterator[bytes]:
    while (frame := pipes.take()) is not None:
        yield frame


def _ended_itself(reply: Reply) -> Reply:
    """The tests' process met a limit: what it was given to compare was too much for it."""
    detail = f"in the tests: {reply['status']}: {reply['detail']}"
    return {"status": "failed", "passed": 0, "detail": detail}
