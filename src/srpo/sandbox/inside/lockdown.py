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
_MACHINES = ("x86_64", "aarch64")  # the columns of the tables below
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_CAPSET, _CLONE, _CLONE3, _PRLIMIT64 = (126, 91), (56, 220), (435, 435), (302, 261)
# Denied with EPERM. Beyond the obvious: processes of the same user may re-limit, re-nice or
# pin each other by number alone, which Landlock does not cover.
_DENIED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "unshare": (272, 97),
    "setns": (308, 268),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}


class LockdownError(OSError):
    """A confinement step did not work: nothing may be run."""


def libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def lock_server(c: Any) -> None:
    """Once, at the start: no capabilities (a root user's either), orphans come to us."""
    column = _MACHINES.index(platform.machine())
    for capability in range(64):
        c.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(c.syscall(_CAPSET[column], header, bytes(24)), "capset")
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
    column = _MACHINES.index(machine)
    load, jump_eq, jump_ge, jump_set, ret = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill = 0x7FFF0000, 0x80000000

    def fail(code: int) -> int:
        return 0x00050000 | code

    def op(code: int, k: int, jt: int = 0, jf: int = 0) -> bytes:
        return struct.pack("HBBI", code, jt, jf, k)

    out = [op(load, 4), op(jump_eq, _AUDIT_ARCH[column], 1, 0), op(ret, kill), op(load, 0)]
    out += [op(jump_ge, 0x40000000, 0, 1), op(ret, kill)]  # the x32 twins of every call
    for number in (numbers[column] for numbers in _DENIED.values()):
        if number is None:  # aarch64 has only clone
            continue
        out += [op(jump_eq, number, 0, 1), op(ret, fail(errno.EPERM))]
    # clone3's flags lie in memory that a filter cannot read; without it libc takes clone.
    out += [op(jump_eq, _CLONE3[column], 0, 1), op(ret, fail(errno.ENOSYS))]
    arg0 = 16  # its low half, which is where both arguments lie
    only = {_CLONE: (jump_set, _CLONE_THREAD), _PRLIMIT64: (jump_eq, 0)}  # threads; own limits
    for numbers, (test, value) in only.items():
        out += [op(jump_eq, numbers[column], 0, 4), op(load, arg0), op(test, value, 1, 0)]
        out += [op(ret, fail(errno.EPERM)), op(ret, allow)]
    return b"".join([*out, op(ret, allow)])


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise LockdownError(code, f"{what}: {os.strerror(code)}")
