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

from srpo.sandbox.inside.clock import PATIENCE
from srpo.workers.pipes import FramedPipes, cut_frame, wait

WATCHDOG_S = 2.0  # what a server may take beyond its program's own limit, to begin and to end
STOP_S = 5.0  # what a server may take to end a program

Accept = Callable[[int, Any], bool]
LIMITS = (
    "time_s",
    "may_wait",
    "memory_mb",
    "output_bytes",
    "scratch_mb",
)  # all that a server reads
Reply = dict[str, Any]


class Server(Protocol):
    """Whatever a program can be sent to: pipes with a server at their other end."""

    pipes: FramedPipes


@dataclass
class Ran:
    """What came of a program: the server's reply, what it printed, what it said of itself, and
    the outcome of its tests."""

    reply: Reply = field(default_factory=dict)
    stdout: bytearray = field(default_factory=bytearray)
    values: list[Any] = field(default_factory=list)
    end: tuple[str, str] | None = None  # status, detail
    tests: Reply | None = None
    unready: str = ""  # how a process ended before any of the program or its tests ran, if one did

    def hear(self, message: bytes) -> None:
        """Take one message: values, or the end."""
        try:
            said = json.loads(message)
            if "end" in said:
                self.end = str(said["end"]), str(said["detail"])[:500]
            else:
                self.values += list(said["values"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self.end = "exception", "its result cannot be read"


class Line:
    """The host's end of the line to one program, by way of its server."""

    def __init__(self, pipes: FramedPipes, request: dict[str, Any]) -> None:
        self.pipes = pipes
        self.reply: Reply = {}  # the server's, once the program has ended
        self.stdout = bytearray()
        self.stopped = False
        self._messages = bytearray()  # not yet a whole one
        limits = {name: request[name] for name in LIMITS}
        pipes.post(b"R" + json.dumps(limits).encode())
        pipes.post(b"P" + json.dumps(request).encode())

    def arrived(self) -> Iterator[bytes]:
        """The messages that have come; `stdout` and `reply` are kept up on the way."""
        while (piece := self.pipes.take()) is not None:
            if piece[:1] == b"E":
                self.reply = json.loads(piece[1:])
            elif piece[:1] == b"O":
                self.stdout += piece[1:]
            else:
                self._messages += piece[1:]
                while (message := cut_frame(self._messages)) is not None:
                    yield message

    def say(self, message: bytes) -> None:
        """Send the program one message."""
        self.pipes.post(b"M" + message)

    def stop(self) -> None:
        """Have the server end the program; nothing if it has ended."""
        if not self.reply:
            self.stopped = True
            self.pipes.post(b"S")


def run_alone(server: Server, request: dict[str, Any], accept: Accept) -> Ran:
    """Until it ends, or returned a value that is not accepted: then it is stopped."""
    deadline = monotonic() + PATIENCE * request["time_s"] + WATCHDOG_S
    ran, line = Ran(), Line(server.pipes, request)
    while not line.reply:
        wait([server.pipes], deadline)
        for message in line.arrived():
            if line.stopped or ran.end:
                continue
            heard = len(ran.values)
            ran.hear(message)
            good = all(accept(i, ran.values[i]) for i in range(heard, len(ran.values)))
            if not good or (ran.end and ran.end[0] == "exception"):
                line.stop()
    ran.reply, ran.stdout = line.reply, line.stdout
    ran.unready = _unready(line)
    return ran


def run_tested(
    server: Server, tests_server: Server, request: dict[str, Any], tests: dict[str, Any]
) -> Ran:
    """Carry questions and answers between the tests and the program until one of them ends."""
    deadline = monotonic() + PATIENCE * tests["time_s"] + WATCHDOG_S
    ran, owed = Ran(), 1  # answers that the program owes its tests: its names come unasked
    program, asker = Line(server.pipes, request), Line(tests_server.pipes, tests)
    while not (ran.tests or ran.end or (program.reply and owed)):
        wait([server.pipes, tests_server.pipes], deadline)
        for message in asker.arrived():
            if message[:1] == b"!":
                ran.tests = json.loads(message[1:])
            else:
                owed += 1
                program.say(message[1:])
        if asker.reply and not ran.tests:
            ran.tests = _ended_itself(asker.reply)
        for message in program.arrived():
            if message.startswith(b'{"end"'):
                ran.hear(message)
            elif owed:
                owed -= 1
                asker.say(message)
            else:
                ran.end = "exception", "it answered what it was not asked"
    for line in (program, asker):
        _end(line)
    ran.reply, ran.stdout = program.reply, program.stdout
    ran.unready = _unready(program) or _unready(asker)
    return ran


def _unready(line: Line) -> str:
    """What a process that was to run something, and was not stopped first, ended with instead."""
    reply = line.reply
    return "" if reply["ready"] or line.stopped else f"{reply['status']}: {reply['detail']}"


def _end(line: Line) -> None:
    deadline = monotonic() + STOP_S
    line.stop()
    for _ in line.arrived():
        pass
    while not line.reply:
        wait([line.pipes], deadline)
        for _ in line.arrived():
            pass


def _ended_itself(reply: Reply) -> Reply:
    """The tests' process met a limit: what it was given to compare was too much for it."""
    detail = f"in the tests: {reply['status']}: {reply['detail']}"
    return {"status": "failed", "passed": 0, "detail": detail}
