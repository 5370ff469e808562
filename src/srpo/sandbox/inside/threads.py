"""How many threads a program has at a time, counted from outside.

Memory does not bound them: threads may share one stack, and what the kernel keeps for each is in
no limit of a process. A process limit is the user's, not the program's, and root has none. So the
kernel asks the server before a thread begins (`clone`) and before one ends (`exit`); the server
counts, and says yes or EAGAIN, which Python reports as "can't start new thread".
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
from functools import cache
from typing import Any

from .seccomp import MACHINES, thread_filter
from .syscalls import ALLOWED

MAX_THREADS = 64  # at a time, the first one included
FULL_WEIGHT = 4  # so many share the cores on equal terms with others; more give way, all together
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 8, 32
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("QIIi")  # id, pid, flags, number of the call; 80 bytes in all
_ANSWER = struct.Struct("QqiI")  # id, result, error, flags
_CONTINUE = 1


def install(c: Any) -> int:
    """In the program's process: the descriptor at which its threads are asked for.

    A signal may interrupt a thread that waits for its answer, which then asks again. Newer
    kernels put it off, so that one end is never counted twice.
    """
    machine = platform.machine()
    program = _prepared(machine)
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):
        listener = c.syscall(_SECCOMP[machine], _SET_FILTER, flags, program.header)
        if listener >= 0 or ctypes.get_errno() != errno.EINVAL:
            break
    return listener


class _Prepared:
    def __init__(self, program: bytes) -> None:
        self._buffer = ctypes.create_string_buffer(program, len(program))
        self.header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(self._buffer))


@cache
def _prepared(machine: str) -> _Prepared:
    return _Prepared(thread_filter(machine))


def prepare() -> None:
    """Before the fork, so that it costs a program nothing."""
    _prepared(platform.machine())


def hand_over(line_fd: int, listener: int) -> None:
    """From the program's process to the server. Closes the program's own copy."""
    rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener])
    with socket.socket(fileno=os.dup(line_fd)) as line:
        line.sendmsg([b"L"], [rights])
    os.close(listener)


def say_ready(line_fd: int) -> None:
    """From the program's process, before any of the program runs. By a socket: what is in a pipe
    a program could read itself, by way of /proc."""
    os.write(line_fd, b"!")
    os.close(line_fd)


def take_over(line: socket.socket) -> tuple[bool, Threads | None]:
    """In the server: whether the program is ready, and who answers for its threads; nobody does
    for one that is not confined."""
    word, rights, _, _ = line.recvmsg(1, socket.CMSG_SPACE(4))
    asked = Threads(array.array("i", rights[0][2])[0]) if rights else None
    try:
        word = line.recv(1) if word == b"L" else word
    except OSError:  # it takes too long
        word = b""
    return word == b"!", asked


class Threads:
    """Answers for one program."""

    def __init__(self, listener: int) -> None:
        self.listener = listener
        self._end = ALLOWED["exit"][MACHINES.index(platform.machine())]
        self.alive = 1

    def answer(self) -> None:
        """One question. The thread that asks may have been killed meanwhile."""
        notice = bytearray(80)
        try:
            fcntl.ioctl(self.listener, _RECEIVE, notice)
            asked, who, _, number = _NOTICE.unpack_from(notice)
            ends = number == self._end
            full = not ends and self.alive >= MAX_THREADS
            if not ends and self.alive >= FULL_WEIGHT:
                os.setpriority(os.PRIO_PROCESS, who, 19)  # the new one inherits it
            error, flags = (-errno.EAGAIN, 0) if full else (0, _CONTINUE)
            fcntl.ioctl(self.listener, _SEND, _ANSWER.pack(asked, 0, error, flags))
        except OSError as gone:
            if gone.errno not in (errno.ENOENT, errno.ESRCH, errno.EINTR):
                raise
            return
        self.alive += 0 if full else -1 if ends else 1

    def close(self) -> None:
        """No thread is counted any more."""
        os.close(self.listener)
