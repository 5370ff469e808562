"""How the server and, after each fork, the program give up what they do not need.

sandlock has already confined the server: files by Landlock, network and dangerous system
calls by seccomp. What is added here holds the program off its own server and siblings:
a Landlock domain of its own (no signals to, no tracing of anything outside it), and a second
seccomp filter (no new processes, no sockets, no reaching for other processes by number).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER = 1, 22, 36
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same on every architecture
_SCOPE_ABSTRACT_UNIX, _SCOPE_SIGNAL = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_THREAD = 0x10000
_OWN_LIMITS_ONLY = "prlimit64"  # for the process itself (pid 0), not for others

# Denied with EPERM. Same-uid processes may otherwise be re-limited, re-niced, pinned to one
# core or traced by number alone, which Landlock does not cover.
_DENIED = {
    "x86_64": (
        {"arch": 0xC000003E, "capset": 126, "clone": 56, "clone3": 435, "prlimit64": 302},
        # fork vfork execve execveat socket setsid setpgid ptrace process_vm_readv/_writev
        (57, 58, 59, 322, 41, 112, 109, 101, 310, 311)
        # setpriority sched_setparam sched_setscheduler sched_setaffinity sched_setattr
        + (141, 142, 144, 203, 314)
        # ioprio_set migrate_pages move_pages unshare setns pidfd_open pidfd_getfd
        + (251, 256, 279, 272, 308, 434, 438)
        # pidfd_send_signal process_madvise process_mrelease io_uring_* bpf userfaultfd
        + (424, 440, 448, 425, 426, 427, 321, 323)
        # perf_event_open add_key request_key keyctl memfd_create memfd_secret kcmp
        + (298, 248, 249, 250, 319, 447, 312),
    ),
    "aarch64": (
        {"arch": 0xC00000B7, "capset": 91, "clone": 220, "clone3": 435, "prlimit64": 261},
        (221, 281, 198, 157, 154, 117, 270, 271)
        + (140, 118, 119, 122, 274)
        + (30, 238, 239, 97, 268, 434, 438)
        + (424, 440, 448, 425, 426, 427, 280, 282)
        + (241, 217, 218, 219, 279, 447, 272),
    ),
}


class LockdownError(OSError):
    """A confinement step did not work: nothing may be run."""


def libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def lock_server(c: Any) -> None:
    """Once, at the start: no capabilities (a root user's either), orphans come to us."""
    numbers, _ = _DENIED[platform.machine()]
    for capability in range(64):
        c.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(c.syscall(numbers["capset"], header, bytes(24)), "capset")
    _check(c.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER")


def lock_program(c: Any) -> None:
    """In the forked child, before untrusted code: it cannot be undone."""
    _check(c.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    _check(c.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    rules = struct.pack("QQQ", 0, 0, _SCOPE_ABSTRACT_UNIX | _SCOPE_SIGNAL)
    domain = c.syscall(_LANDLOCK_CREATE, rules, len(rules), 0)
    _check(domain, "landlock_create_ruleset")
    _check(c.syscall(_LANDLOCK_RESTRICT, domain, 0), "landlock_restrict_self")
    os.close(domain)
    program = seccomp_filter(platform.machine())
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _check(c.prctl(_PR_SET_SECCOMP, 2, header, 0, 0), "PR_SET_SECCOMP")


def limit(time_s: float, memory_bytes: int, file_bytes: int) -> None:
    """Hard resource limits of the calling process. CPU time is the backstop of the server's
    wall clock, hence a second more."""
    cpu = int(time_s) + 2
    _rlimit(resource.RLIMIT_CPU, cpu)
    _rlimit(resource.RLIMIT_AS, memory_bytes)
    _rlimit(resource.RLIMIT_FSIZE, file_bytes)
    _rlimit(resource.RLIMIT_NOFILE, 64)
    _rlimit(resource.RLIMIT_CORE, 0)
    _rlimit(resource.RLIMIT_STACK, min(memory_bytes, 64 << 20))  # deep recursion is legitimate


def _rlimit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def seccomp_filter(machine: str) -> bytes:
    """The filter as BPF instructions, 8 bytes each."""
    numbers, denied = _DENIED[machine]
    load, jump_eq, jump_ge, jump_set, ret = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill = 0x7FFF0000, 0x80000000

    def fail(code: int) -> int:
        return 0x00050000 | code

    def op(code: int, k: int, jt: int = 0, jf: int = 0) -> bytes:
        return struct.pack("HBBI", code, jt, jf, k)

    out = [op(load, 4), op(jump_eq, numbers["arch"], 1, 0), op(ret, kill), op(load, 0)]
    out += [op(jump_ge, 0x40000000, 0, 1), op(ret, kill)]  # the x32 twins of every call
    for number in denied:
        out += [op(jump_eq, number, 0, 1), op(ret, fail(errno.EPERM))]
    # clone3's flags lie in memory that a filter cannot read; without it libc takes clone.
    out += [op(jump_eq, numbers["clone3"], 0, 1), op(ret, fail(errno.ENOSYS))]
    arg0 = 16
    out += [op(jump_eq, numbers["clone"], 0, 4), op(load, arg0), op(jump_set, _CLONE_THREAD, 1, 0)]
    out += [op(ret, fail(errno.EPERM)), op(ret, allow)]
    out += [op(jump_eq, numbers[_OWN_LIMITS_ONLY], 0, 4), op(load, arg0), op(jump_eq, 0, 1, 0)]
    out += [op(ret, fail(errno.EPERM)), op(ret, allow)]
    return b"".join([*out, op(ret, allow)])


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise LockdownError(code, f"{what}: {os.strerror(code)}")
