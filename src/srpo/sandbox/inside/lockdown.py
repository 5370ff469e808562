"""How the server and, after each fork, the program give up what they do not need.

The mechanism has already confined the server: sandlock by Landlock, bubblewrap by namespaces. What
is added here holds the program off its own server, its siblings and whatever the machine has one
of: filters that refuse every system call but those of `syscalls`, limits for what a process may
take, and, where the kernel has it, a Landlock domain (no signals to anything outside it, once
more).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from functools import cache
from typing import Any

from . import seccomp, threads

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER = 1, 22, 36
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same on every architecture
_SCOPE_ABSTRACT_UNIX, _SCOPE_SIGNAL = 1, 2
_CREATE_VERSION = 1
_SCOPES_SINCE = 6  # the ABI from which Landlock can scope signals
_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}
# Beyond memory, time and files: what a user has one count of for all of his processes, and what
# would outlive the program.
_SMALL_LIMITS = {
    "NOFILE": 32,
    "CORE": 0,
    "MEMLOCK": 0,
    "MSGQUEUE": 0,
    "SIGPENDING": 64,
    "NICE": 0,
    "RTPRIO": 0,
}


class LockdownError(OSError):
    """A confinement step did not work: nothing may be run."""


def libc() -> Any:
    """The C library, with its own `errno`."""
    return ctypes.CDLL(None, use_errno=True)


def landlock_abi(c: Any) -> int:
    """The version of the kernel's Landlock; 0 where there is none."""
    none, size = ctypes.c_void_p(None), ctypes.c_size_t(0)
    return max(0, c.syscall(_LANDLOCK_CREATE, none, size, _CREATE_VERSION))


def lock_server(c: Any) -> None:
    """Once, at the start: no capabilities (a root user's either), orphans come to us.

    Raises LockdownError where neither Landlock nor a process namespace keeps signals in.
    """
    if landlock_abi(c) < _SCOPES_SINCE and os.getpid() != 1:
        why = f"Landlock ABI {_SCOPES_SINCE} or a process namespace is needed"
        raise LockdownError(errno.ENOSYS, why)
    drop_capabilities(c)
    _check(c.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER")


def drop_capabilities(c: Any) -> None:
    """All of them, for good, a root user's too."""
    for capability in range(64):
        c.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(c.syscall(_CAPSET[platform.machine()], header, bytes(24)), "capset")


def prepare(sized: bool) -> None:
    """What programs share, built before the first fork."""
    _program_filter(sized, 0)
    threads.prepare()


def lock_program(
    c: Any, sized: bool, memory_bytes: int, line_fd: int, landlock: bool | None = None
) -> None:
    """In the forked child, before untrusted code: it cannot be undone.

    sized       whether files may be removed: where the scratch directory has a size of its own
    memory_bytes  how far around what it has a program may map memory
    line_fd       a socket to the server, which is to answer for the program's threads
    landlock      whether to add a Landlock domain to the filters; None: where the kernel can scope
                  signals
    """
    _check(c.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    _check(c.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    if landlock if landlock is not None else landlock_abi(c) >= _SCOPES_SINCE:
        _scope_signals(c)
    listener = threads.install(c)
    _check(listener, "seccomp listener")
    threads.hand_over(line_fd, listener)  # the other filter has no way to send it
    program = _program_filter(sized, memory_bytes)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _check(c.prctl(_PR_SET_SECCOMP, 2, header, 0, 0), "PR_SET_SECCOMP")


@cache
def _libraries() -> int:
    """Where this process and its forks have their libraries: what they map lies around them."""
    return ctypes.cast(libc().getpid, ctypes.c_void_p).value or 0


def _program_filter(sized: bool, memory_bytes: int) -> bytes:
    near = seccomp.near(_libraries(), memory_bytes)
    return seccomp.program_filter(platform.machine(), os.getpid(), near, sized)


def _scope_signals(c: Any) -> None:
    rules = struct.pack("QQQ", 0, 0, _SCOPE_ABSTRACT_UNIX | _SCOPE_SIGNAL)
    domain = c.syscall(_LANDLOCK_CREATE, rules, len(rules), 0)
    _check(domain, "landlock_create_ruleset")
    _check(c.syscall(_LANDLOCK_RESTRICT, domain, 0), "landlock_restrict_self")
    os.close(domain)


def limit(time_s: float, memory_bytes: int, file_bytes: int) -> None:
    """Hard resource limits of the calling process. CPU time is the backstop of the server's
    wall clock, hence a second more."""
    _rlimit("CPU", int(time_s) + 2)
    _rlimit("AS", memory_bytes)
    _rlimit("FSIZE", file_bytes)
    _rlimit("STACK", min(memory_bytes, 64 << 20))  # deep recursion is legitimate
    for name, value in _SMALL_LIMITS.items():
        _rlimit(name, value)


def _rlimit(name: str, value: int) -> None:
    which = getattr(resource, f"RLIMIT_{name}", None)
    if which is None:  # another system than Linux: without walls
        return
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise LockdownError(code, f"{what}: {os.strerror(code)}")
