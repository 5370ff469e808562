"""The warm server: a confined Python that forks once per program.

It holds no expected outputs, runs one program at a time, and leaves nothing between two
programs: the child is killed with its whole process group, the scratch directory emptied. When
it cannot do that it says "dirty", and the host replaces it. Since programs are forks of it, it
never reads their source, and wipes the buffer through which their output went: a program finds
nothing of the ones before in its memory.

Frames on descriptor 0, the first byte tells what:
    R  run a program with these limits (JSON); the P frame that follows is the program
    M  a message for the program that runs          S  stop the program that runs
and on descriptor 1:
    O  a piece of its output     M  a piece of its messages
    E  it ended: status, detail, exit_code, seconds (JSON)
"""

from __future__ import annotations

import fcntl
import gc
import importlib.util
import json
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from . import harness, lockdown, tester, threads, wire
from .clock import Clock
from .scratch import MAX_FILES, Scratch

SETUP_S = 1.5  # for what a process does before any of its program runs
CHECK_S = 0.05  # how often an otherwise silent program and its files are looked at
# A file that can be neither longer, nor shorter, nor other than it is; nor these changed.
SEALS = 1 | 2 | 4 | 8
PRELOAD = (
    "abc array bisect builtins collections copy dataclasses datetime decimal enum fractions "
    "functools heapq io itertools math operator queue random re site statistics string "
    "textwrap threading traceback types typing unicodedata"
)


@dataclass(slots=True)
class Watched:
    """One running program, seen from the server, with the server's ends of its pipes."""

    pid: int
    clock: Clock  # until it is ready, that of its beginning
    stdout_fd: int
    messages_fd: int
    answers_fd: int
    pid_fd: int  # becomes readable when it ends; it stays a zombie until then
    buffer: bytearray  # everything that it says goes through here, and nowhere else
    line: socket.socket  # by which it hands its listener over and says that it is ready
    threads: threads.Threads | None = None
    ready: bool = False  # whether it has read its program: descriptor 0 is its own until then
    answers: bytearray = field(default_factory=bytearray)  # not yet written
    stdout_bytes: int = 0
    message_bytes: int = 0
    exit_code: int = 0


def main(scratch: str, confined: bool, sized: bool, packages: Iterable[str] = ()) -> None:
    """Serve until the host closes its end. `sized`: see `Scratch`; `packages`: folders of what
    programs may import beside the standard library."""
    sys.path += packages
    c = lockdown.libc() if confined else None
    if c is not None:
        lockdown.lock_server(c)
    serve(Scratch(scratch, sized), c)


def serve(scratch: Scratch, c: Any) -> None:
    """Serve with programs confined through the C library `c`; unconfined when it is None."""
    _preload()
    if c is not None:
        lockdown.prepare(scratch.sized)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)
    gc.collect()
    gc.freeze()
    buffer = bytearray(1 << 16)
    wire.write_frame(1, b"E" + json.dumps({"sized": scratch.sized}).encode())
    while (frame := wire.read_frame(0)) is not None:
        if frame[:1] != b"R":  # for a program that has ended meanwhile
            continue
        reply = run_one(json.loads(frame[1:]), scratch, c, buffer)
        clean = reply["ready"] and _no_children() and scratch.empty()
        buffer[:] = bytes(len(buffer))
        wire.write_frame(1, b"E" + json.dumps(reply | {"dirty": not clean}).encode())


def _preload() -> None:
    """What programs usually import. `random` would draw a new seed in every fork, at the price
    of a third of the fork's page faults: here every program begins with the same seed, so that
    it gives the same output each time."""
    hook, os.register_at_fork = os.register_at_fork, lambda **_: None
    for name in PRELOAD.split():
        __import__(name)
    if importlib.util.find_spec("numpy") is not None:  # it takes as long as many programs
        __import__("numpy").random.seed(0)
    os.register_at_fork = hook
    __import__("random").seed(0)
    __import__("site").setquit()  # exit() and quit(), which -S leaves out


def run_one(limits: dict[str, Any], scratch: Scratch, c: Any, buffer: bytearray) -> dict[str, Any]:
    """Fork, watch, reap. The reply: status, detail, exit_code, seconds, ready."""
    out_r, out_w = os.pipe()
    messages_r, messages_w = os.pipe()
    answers_r, answers_w = os.pipe()
    line, line_of_program = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _child(limits, scratch, c, (out_w, messages_w, answers_r), line_of_program)
    for fd in (out_w, messages_w, answers_r):
        os.close(fd)
    line_of_program.close()
    for fd in (out_r, messages_r, answers_w):  # by /proc it may read its own pipes: never wait
        os.set_blocking(fd, False)
    pid_fd = os.pidfd_open(pid)
    program = Watched(pid, Clock(pid, SETUP_S), out_r, messages_r, answers_w, pid_fd, buffer, line)
    try:
        verdict = _watch(program, limits, scratch)
    finally:
        _kill(pid)
        program.exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for fd in (out_r, messages_r, answers_w, pid_fd):
            os.close(fd)
        line.close()
        if program.threads is not None:
            program.threads.close()
    return _reply(program, verdict)


def _child(
    limits: dict[str, Any],
    scratch: Scratch,
    c: Any,
    ends: tuple[int, int, int],
    line: socket.socket,
) -> None:
    """Runs in the fork and never returns. Its descriptors: standard ones, messages, answers."""
    code = 70
    try:
        os.setsid()
        os.chdir(scratch.path)
        request = limits | json.loads((wire.read_frame(0) or b"")[1:])
        null = os.open(os.devnull, os.O_RDWR)  # not one that programs share, flags and all
        stdin = _file_of(request["stdin"].encode("utf-8", "surrogatepass"))
        # Copies above all targets first: a source may have the number of another's target.
        sources = (stdin, null, *ends, line.fileno())
        copies = [fcntl.fcntl(fd, fcntl.F_DUPFD, 16) for fd in sources]
        for copy, target in zip(copies, (0, 2, 1, 3, 4, 5), strict=True):
            os.dup2(copy, target)
        os.closerange(6, 256)
        memory = limits["memory_mb"] << 20
        lockdown.limit(limits["time_s"], memory, limits["scratch_mb"] << 18)
        if c is not None:
            lockdown.lock_program(c, scratch.sized, memory, line_fd=5)
        threads.say_ready(5)
        (tester if request["mode"] == "tests" else harness).run(request)
        code = 0
    finally:
        os._exit(code)


def _file_of(text: bytes) -> int:
    """A descriptor to read `text` from: a file without a name, so that its size is no matter, and
    sealed where the system can, so that nothing more is put into it."""
    sealed = hasattr(os, "memfd_create")
    fd = os.memfd_create("stdin", os.MFD_ALLOW_SEALING) if sealed else _unnamed_file()
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    if sealed:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def _unnamed_file() -> int:
    fd = os.open("stdin", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink("stdin")
    return fd


def _watch(program: Watched, limits: dict[str, Any], scratch: Scratch) -> tuple[str, str]:
    """Until the program ends ("", "") or is ended: (status, detail)."""
    checked, ended = 0.0, False
    poll = select.poll()
    for fd in (program.stdout_fd, program.messages_fd, program.pid_fd, program.line.fileno()):
        poll.register(fd, select.POLLIN)
    while True:
        if _time_is_up(program):
            return "timeout", f"timed out after {program.clock.limit_s:g} s"
        for fd, event in poll.poll(min(CHECK_S, program.clock.wait()) * 1000):
            if fd == 0:
                if not _from_host(program, poll):
                    return "stopped", "stopped by the host"
            elif fd == program.answers_fd:
                _write_answers(program, poll, event)
            elif fd == program.pid_fd:
                ended = True
            elif fd == program.line.fileno():
                _begin(program, poll, limits)
            elif program.threads is not None and fd == program.threads.listener:
                _answer_threads(program.threads, poll, event)
            elif program.ready and not _relay(program, fd):
                poll.unregister(fd)
        if over := _too_much(program, limits):
            return over
        if ended or program.clock.seconds() - checked > CHECK_S:
            checked = program.clock.seconds()
            if not scratch.fits(limits["scratch_mb"] << 20):
                return "output", f"more than {limits['scratch_mb']} MiB or {MAX_FILES} files"
        if ended:
            return _drain(program, limits)


def _time_is_up(program: Watched) -> bool:
    if program.ready:
        return program.clock.is_up()
    return program.clock.seconds() >= SETUP_S


def _begin(program: Watched, poll: select.poll, limits: dict[str, Any]) -> None:
    """It is ready, or has gone before it was."""
    poll.unregister(program.line.fileno())
    program.line.settimeout(SETUP_S)
    program.ready, program.threads = threads.take_over(program.line)
    if program.threads is not None:
        poll.register(program.threads.listener, select.POLLIN)
    if program.ready:
        program.clock = Clock(program.pid, limits["time_s"], limits["may_wait"])
        poll.register(0, select.POLLIN)


def _answer_threads(asked: threads.Threads, poll: select.poll, event: int) -> None:
    if event & select.POLLIN:
        asked.answer()
    else:  # nobody is left to ask
        poll.unregister(asked.listener)


def _from_host(program: Watched, poll: select.poll) -> bool:
    """Take one frame; whether the program may go on."""
    frame = wire.read_frame(0)
    if frame is None or frame[:1] == b"S":
        return False
    if frame[:1] == b"M":
        program.answers += wire.frame(frame[1:])
        _write_answers(program, poll, select.POLLOUT)
    return True


def _write_answers(program: Watched, poll: select.poll, event: int) -> None:
    """As much as the program's pipe takes; the rest when it takes more."""
    fd = program.answers_fd
    try:
        while program.answers and event & select.POLLOUT:
            written = os.write(fd, memoryview(program.answers)[: 1 << 16])
            del program.answers[:written]
    except BlockingIOError:
        poll.register(fd, select.POLLOUT)
        return
    except BrokenPipeError:  # it does not listen any more
        program.answers.clear()
    with suppress(KeyError):
        poll.unregister(fd)


def _relay(program: Watched, fd: int) -> bool:
    """Hand a piece of output or messages on; False when its other end is closed."""
    try:
        size = os.readv(fd, [program.buffer])
    except BlockingIOError:
        return True
    if not size:
        return False
    if fd == program.stdout_fd:
        program.stdout_bytes += size
    else:
        program.message_bytes += size
    kind = b"O" if fd == program.stdout_fd else b"M"
    head = struct.pack(">I", size + 1) + kind
    with memoryview(program.buffer) as view:
        written = os.writev(1, [head, view[:size]]) - len(head)
        while written < size:  # a pipe takes the first 4096 bytes whole, hence the head
            written += os.write(1, view[written:size])
    return True


def _too_much(program: Watched, limits: dict[str, Any]) -> tuple[str, str] | None:
    most = limits["output_bytes"]
    if max(program.stdout_bytes, program.message_bytes - 1024) > most:  # the last message's room
        return "output", f"more than {most} bytes of output"
    return None


def _drain(program: Watched, limits: dict[str, Any]) -> tuple[str, str]:
    """What an ended program left in its pipes (a descendant may hold them open: don't wait)."""
    for fd in (program.stdout_fd, program.messages_fd):
        before = -1
        while program.ready and before != (before := program.stdout_bytes + program.message_bytes):
            _relay(program, fd)
            if over := _too_much(program, limits):
                return over
    return "", ""


def _reply(program: Watched, verdict: tuple[str, str]) -> dict[str, Any]:
    status, detail = verdict
    code = program.exit_code
    if not status and code == -signal.SIGXCPU:
        status, detail = "timeout", "timed out: CPU time"
    elif not status and code < 0:
        status, detail = "killed", f"killed by signal {-code}"
    return {
        "status": status or "exited",
        "detail": detail or f"exited early with code {code}",
        "exit_code": code,
        "seconds": program.clock.seconds(),
        "ready": program.ready,
    }


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # before it has its own group there is only itself
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _no_children() -> bool:
    """Whether every process that the program may have left is gone (orphans come to us)."""
    try:
        os.waitpid(-1, os.WNOHANG)
        return False
    except ChildProcessError:
        return True
