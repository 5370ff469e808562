"""The seccomp filter: as data on every architecture, and at work without Landlock."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import struct
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox.inside import lockdown
from srpo.sandbox.inside.lockdown import LockdownError, seccomp_filter

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {
        "read": 0, "fork": 57, "clone": 56, "prlimit": 302, "exec": 59, "fcntl": 72,
        "kill": 62, "tkill": 200, "tgkill": 234, "queue": 129, "tqueue": 297,
    },
    "aarch64": {
        "read": 63, "clone": 220, "prlimit": 261, "exec": 221, "fcntl": 25,
        "kill": 129, "tkill": 130, "tgkill": 131, "queue": 138, "tqueue": 240,
    },
}  # fmt: skip
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")


def run(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """Interpret the filter for one system call."""
    given = [a & (1 << 64) - 1 for a in arguments]
    data = struct.pack("IIQ6Q", number, arch, 0, *given, *[0] * (6 - len(given)))
    at = loaded = 0
    while True:
        code, yes, no, value = struct.unpack_from("HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("I", data, value)
        elif code == 0x06:
            return value
        else:
            held = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}
            at += yes if held[code] else no


@pytest.mark.parametrize("machine", ARCH)
def test_filter(machine: str) -> None:
    arch, numbers = ARCH[machine], NUMBERS[machine]
    program = seccomp_filter(machine, 77)
    thread, process = 0x3D0F00, 0x1200011
    assert run(program, arch, numbers["read"]) == ALLOW
    assert run(program, arch, numbers["exec"]) == EPERM
    assert run(program, arch, numbers.get("fork", numbers["exec"])) == EPERM
    assert run(program, arch, numbers["clone"], thread) == ALLOW
    assert run(program, arch, numbers["clone"], process) == EPERM
    assert run(program, arch, numbers["prlimit"], 0) == ALLOW
    assert run(program, arch, numbers["prlimit"], 1234) == EPERM
    assert run(program, arch, 435) == ENOSYS  # clone3
    assert run(program, 0x40000003, numbers["read"]) == KILL  # 32-bit calls
    assert run(program, arch, 0x40000000 + numbers["read"]) == KILL  # x32 calls


pids = st.integers(2, 1 << 22)


@given(machine=st.sampled_from(sorted(ARCH)), pid=pids, other=pids | st.integers(-(1 << 22), 1))
def test_signals_reach_the_process_itself_alone(machine: str, pid: int, other: int) -> None:
    arch, numbers = ARCH[machine], NUMBERS[machine]
    program = seccomp_filter(machine, pid)
    for name in ("kill", "tkill", "tgkill", "queue", "tqueue"):
        assert run(program, arch, numbers[name], pid, 9) == ALLOW
        # The kernel takes the low half of the number: so must the filter.
        assert run(program, arch, numbers[name], pid | 5 << 32, 9) == ALLOW
        own_group = name == "kill" and other == 0
        expected = ALLOW if own_group or other == pid else EPERM
        assert run(program, arch, numbers[name], other, pid) == expected


@pytest.mark.parametrize("machine", ARCH)
def test_no_file_signals_another(machine: str) -> None:
    arch, number = ARCH[machine], NUMBERS[machine]["fcntl"]
    program = seccomp_filter(machine, 77)
    refused = [c for c in range(2000) if run(program, arch, number, 3, c, 1) == EPERM]
    assert refused == [8, 15]  # F_SETOWN, F_SETOWN_EX


def in_locked_fork(check: Callable[[], int], landlock: bool | None) -> int:
    """The byte that `check` returns in a forked child without walls but `lock_program`."""
    c = lockdown.libc()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            lockdown.lock_program(c, landlock=landlock)
            os.write(write, bytes([check()]))
        finally:
            os._exit(0)
    os.close(write)
    try:
        said = os.read(read, 1)
    finally:
        os.close(read)
        os.waitpid(pid, 0)
    return said[0]


def _refused(number: int, *arguments: int) -> bool:
    c = lockdown.libc()
    return c.syscall(number, *arguments) < 0 and ctypes.get_errno() == errno.EPERM


@on_linux
def test_seccomp_alone_holds_signals_in() -> None:
    """In the kernel, without Landlock: every way to signal the parent is refused, none to
    signal itself."""
    numbers = NUMBERS[os.uname().machine]

    def check() -> int:
        parent, own = os.getppid(), os.getpid()
        passed = [
            _refused(numbers["kill"], parent, 0),
            _refused(numbers["kill"], -1, 0),
            _refused(numbers["kill"], -os.getpgid(parent), 0),
            _refused(numbers["tkill"], parent, 0),
            _refused(numbers["tgkill"], parent, parent, 0),
            not _refused(numbers["kill"], own, 0),
            not _refused(numbers["kill"], 0, 0),
            not _refused(numbers["tgkill"], own, own, 0),
        ]
        return sum(ok << i for i, ok in enumerate(passed))

    assert in_locked_fork(check, landlock=False) == 0b11111111


@on_linux
def test_landlock_where_the_kernel_has_it() -> None:
    """Landlock keeps a program's signals in its domain also where seccomp would not."""
    if lockdown.landlock_abi(lockdown.libc()) < 6:
        pytest.skip("the kernel's Landlock cannot scope signals")
    assert in_locked_fork(lambda: lockdown.landlock_abi(lockdown.libc()), None) >= 6

    def scoped() -> int:
        c = lockdown.libc()
        lockdown._scope_signals(c)
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            return 1
        return 0

    assert in_fork(scoped) == 1


def in_fork(check: Callable[[], int]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            lockdown.libc().prctl(38, 1, 0, 0, 0)  # no new privileges: what Landlock wants
            code = check()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class NoLandlock:
    """A libc whose kernel has an older Landlock; nothing else may be called."""

    def __init__(self, abi: int) -> None:
        self._abi = abi

    def syscall(self, number: int, *_: object) -> int:
        assert number == 444
        return self._abi


@pytest.mark.parametrize("abi", [-1, 0, 1, random.randint(2, 5)])
def test_server_refuses_without_landlock_or_process_namespace(abi: int) -> None:
    assert os.getpid() != 1
    with pytest.raises(LockdownError, match="Landlock ABI 6"):
        lockdown.lock_server(NoLandlock(abi))


class Failing:
    """A libc in which one call fails: whatever step that is, nothing may be run."""

    def __init__(self, step: int) -> None:
        self.calls, self._step = 0, step

    def prctl(self, *_: object) -> int:
        self.calls += 1
        return -1 if self.calls - 1 == self._step else 0

    def syscall(self, number: int, *_: object) -> int:
        failed = self.prctl()
        return os.open(os.devnull, os.O_RDONLY) if number == 444 and not failed else failed


@on_linux
@pytest.mark.parametrize("landlock", [True, False])
def test_every_step_of_the_lockdown_counts(landlock: bool) -> None:
    whole = Failing(-1)
    lockdown.lock_program(whole, landlock)
    assert whole.calls == (5 if landlock else 3)
    for step in range(whole.calls):
        with pytest.raises(LockdownError):
            lockdown.lock_program(Failing(step), landlock)
