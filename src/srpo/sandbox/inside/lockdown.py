"""How the server and, after each fork, the program give up what they do not need.

The mechanism has already confined the server: sandlock by Landlock and seccomp, bubblewrap by
namespaces of its own. What is added here holds the program off its own server and siblings:
a seccomp filter (no new processes, no sockets, no reaching for other processes by number) and,
where the kernel has it, a Landlock domain (no signals to anything outside it, once more).
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

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER = 1, 22, 36
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same on every architecture
_SCOPE_ABSTRACT_UNIX, _SCOPE_SIGNAL = 1, 2
_CREATE_VERSION = 1
_SCOPES_SINCE = 6  # the ABI from which Landlock can scope signals
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_THREAD = 0x10000
_MACHINES = ("x86_64", "aarch64")  # the columns of the tables below
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_CAPSET, _CLONE, _CLONE3, _PRLIMIT64 = (126, 91), (56, 220), (435, 435), (302, 261)
_KILL, _FCNTL = (62, 129), (72, 25)
# Their first argument is the process: tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo.
_SIGNAL_ONE = ((200, 130), (234, 131), (129, 138), (297, 240))
_F_SETOWN, _F_SETOWN_EX = 8, 15  # another process as the owner of a file gets its signals
# Denied with EPERM. Beyond the obvious: processes of the same user may re-limit, re-nice or
# pin each other by number alone, which Landlock does not cover; what SysV and POSIX message
# queues hold outlives the program; a kernel log may be open to everybody.
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
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "syslog": (103, 116),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "openat2": (437, 437),  # its flags lie in memory that a filter cannot read
}
# Do nothing and say that it worked: what changes a file's attributes. Landlock does not cover
# these, so that every file of the user would be in reach; and a program that copies a file or
# makes one executable shall not fail for it.
_IGNORED = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
_IOCTL, _SET_FLAGS = (16, 29), (0x40086602, 0x40046602, 0x401C5820, 0x40086604)
_OPENAT, _OPEN, _TMPFILE = (257, 56), (2, None), 0x400000  # a file without a name has no quota
# BPF: instructions, results, and where the fields of struct seccomp_data lie.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _DIE, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_ANY_PID = 0x7E57AB1E  # above any process number, equal to no other number in the filter
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENTS = 0, 4, 16


class LockdownError(OSError):
    """A confinement step did not work: nothing may be run."""


def libc() -> Any:
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
    column = _MACHINES.index(platform.machine())
    for capability in range(64):
        c.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(c.syscall(_CAPSET[column], header, bytes(24)), "capset")


def lock_program(c: Any, landlock: bool | None = None) -> None:
    """In the forked child, before untrusted code: it cannot be undone.

    landlock  whether to add a Landlock domain to the seccomp filter; None: where the kernel
              can scope signals
    """
    _check(c.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    _check(c.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    if landlock if landlock is not None else landlock_abi(c) >= _SCOPES_SINCE:
        _scope_signals(c)
    program = seccomp_filter(platform.machine(), os.getpid())
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _check(c.prctl(_PR_SET_SECCOMP, 2, header, 0, 0), "PR_SET_SECCOMP")


def _scope_signals(c: Any) -> None:
    rules = struct.pack("QQQ", 0, 0, _SCOPE_ABSTRACT_UNIX | _SCOPE_SIGNAL)
    domain = c.syscall(_LANDLOCK_CREATE, rules, len(rules), 0)
    _check(domain, "landlock_create_ruleset")
    _check(c.syscall(_LANDLOCK_RESTRICT, domain, 0), "landlock_restrict_self")
    os.close(domain)


def limit(time_s: float, memory_bytes: int, file_bytes: int) -> None:
    """Hard resource limits of the calling process. CPU time is the backstop of the server's
    wall clock, hence a second more."""
    cpu = int(time_s) + 2
    _rlimit(resource.RLIMIT_CPU, cpu)
    _rlimit(resource.RLIMIT_AS, memory_bytes)
    _rlimit(resource.RLIMIT_FSIZE, file_bytes)
    _rlimit(resource.RLIMIT_NOFILE, 32)
    _rlimit(resource.RLIMIT_CORE, 0)
    _rlimit(resource.RLIMIT_STACK, min(memory_bytes, 64 << 20))  # deep recursion is legitimate


def _rlimit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def seccomp_filter(machine: str, pid: int) -> bytes:
    """The filter for process `pid` as BPF instructions, 8 bytes each.

    pid  as the process itself sees it: the number that it may signal
    """
    return _template(machine).replace(struct.pack("I", _ANY_PID), struct.pack("I", pid))


@cache
def _template(machine: str) -> bytes:
    """The filter for _ANY_PID. Built before the fork, it costs a program nothing."""
    column = _MACHINES.index(machine)
    out = [_op(_LOAD, _AT_ARCH), _op(_IF_EQUAL, _AUDIT_ARCH[column], 1, 0), _op(_RETURN, _DIE)]
    out += [_op(_LOAD, _AT_NUMBER)]
    out += [_op(_IF_AT_LEAST, 0x40000000, 0, 1), _op(_RETURN, _DIE)]  # x32 twins of every call
    for calls, result in ((_DENIED, errno.EPERM), (_IGNORED, 0)):
        for number in (numbers[column] for numbers in calls.values()):
            if number is not None:  # aarch64 has only the newer ones
                out += [_op(_IF_EQUAL, number, 0, 1), _op(_RETURN, _REFUSE | result)]
    # clone3's flags lie in memory that a filter cannot read; without it libc takes clone.
    out += [_op(_IF_EQUAL, _CLONE3[column], 0, 1), _op(_RETURN, _REFUSE | errno.ENOSYS)]
    out += _when(_CLONE[column], 0, [(_IF_BITS, _CLONE_THREAD)], allow=True)  # threads
    out += _when(_PRLIMIT64[column], 0, [(_IF_EQUAL, 0)], allow=True)  # own limits
    # The program leads a process group of its own, which kill's 0 means.
    out += _when(_KILL[column], 0, [(_IF_EQUAL, _ANY_PID), (_IF_EQUAL, 0)], allow=True)
    for numbers in _SIGNAL_ONE:
        out += _when(numbers[column], 0, [(_IF_EQUAL, _ANY_PID)], allow=True)
    for numbers, argument in ((_OPENAT, 2), (_OPEN, 1)):
        if (number := numbers[column]) is not None:
            out += _when(number, argument, [(_IF_BITS, _TMPFILE)], allow=False)
    flags = [(_IF_EQUAL, request) for request in _SET_FLAGS]
    out += _when(_IOCTL[column], 1, flags, allow=False)
    owners = [(_IF_EQUAL, _F_SETOWN), (_IF_EQUAL, _F_SETOWN_EX)]
    out += _when(_FCNTL[column], 1, owners, allow=False)
    return b"".join([*out, _op(_RETURN, _ALLOW)])


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _when(number: int, argument: int, tests: list[tuple[int, int]], allow: bool) -> list[bytes]:
    """For one system call: `allow` (or refuse) it when any test of the argument holds, do the
    opposite when none does. Looks at the argument's low half: all that the kernel takes."""
    met, unmet = (_ALLOW, _REFUSE | errno.EPERM)[:: 1 if allow else -1]
    last = len(tests) - 1
    return [
        _op(_IF_EQUAL, number, 0, len(tests) + 3),
        _op(_LOAD, _AT_ARGUMENTS + 8 * argument),
        *(_op(test, value, last - i + 1, 0) for i, (test, value) in enumerate(tests)),
        _op(_RETURN, unmet),
        _op(_RETURN, met),
    ]


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise LockdownError(code, f"{what}: {os.strerror(code)}")
