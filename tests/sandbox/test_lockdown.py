"""The seccomp filter: as data on every architecture, and at work without Landlock."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import re
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox.inside import lockdown, seccomp, syscalls
from srpo.sandbox.inside.lockdown import LockdownError
from srpo.sandbox.inside.syscalls import CHECKED, NEAR, OWN_PID, Word

ALLOW, ASK, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050001, 0x00050026
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEARBY = (0, 0x7F12, 0x7F13)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
machines = pytest.mark.parametrize("machine", ARCH)


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


def filtered(machine: str, number: int, *arguments: int, pid: int = 77, sized: bool = True) -> int:
    program = seccomp.program_filter(machine, pid, NEARBY, sized)
    return run(program, ARCH[machine], number, *arguments)


def number_of(name: str, machine: str) -> int:
    tables = (syscalls.ALLOWED, syscalls.IGNORED, syscalls.REMOVALS, syscalls.SIZED)
    tables += tuple(syscalls.REFUSED.values())
    listed = {k: v for table in tables for k, v in table.items()}
    listed |= {k: v.numbers for k, v in CHECKED.items()}
    number = listed[name][seccomp.MACHINES.index(machine)]
    assert number is not None
    return number


def listed(machine: str) -> dict[int, str]:
    """Every number that a table has, with its name. None has two meanings."""
    found: dict[int, str] = {}
    tables = (syscalls.ALLOWED, syscalls.IGNORED, syscalls.REMOVALS, syscalls.SIZED)
    tables += tuple(syscalls.REFUSED.values())
    rows = [row for table in tables for row in table.items()]
    rows += [(name, checked.numbers) for name, checked in CHECKED.items()]
    for name, numbers in rows:
        number = numbers[seccomp.MACHINES.index(machine)]
        if number is not None:
            assert number not in found, (name, found[number])
            found[number] = name
    return found


@machines
def test_what_is_not_listed_is_refused(machine: str) -> None:
    known = listed(machine)
    for number in set(range(600)) - set(known):
        expected = ENOSYS if number >= 424 else EPERM
        assert filtered(machine, number) == expected, number


@machines
def test_what_is_listed_gets_its_result(machine: str) -> None:
    column = seccomp.MACHINES.index(machine)
    results = [(syscalls.ALLOWED, ALLOW, True), (syscalls.IGNORED, 0x50000, True)]
    results += [(syscalls.REMOVALS, ALLOW, True), (syscalls.REMOVALS, 0x50000, False)]
    results += [(syscalls.SIZED, ALLOW, True), (syscalls.SIZED, EPERM, False)]
    results += [(table, 0x50000 | error, True) for error, table in syscalls.REFUSED.items()]
    for table, result, sized in results:
        for name, numbers in table.items():
            if (number := numbers[column]) is not None:
                assert filtered(machine, number, sized=sized) == result, name


@machines
def test_numbers_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("no kernel headers here")
    text = HEADERS[machine].read_text()
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    kernel = {name: int(number) for name, number in found}
    names = {"fchmodat2": 452, "setxattrat": 463} | kernel
    if machine == "aarch64":  # on 64 bits the older name is kept
        names |= {"newfstatat": kernel["fstatat"]}
    for number, name in listed(machine).items():
        assert names[name] == number, name


@machines
def test_other_doors_into_the_kernel_are_shut(machine: str) -> None:
    program = seccomp.program_filter(machine, 77, NEARBY, True)
    assert run(program, 0x40000003, number_of("read", machine)) == KILL  # 32-bit calls
    assert run(program, ARCH[machine], 0x40000000 + number_of("read", machine)) == KILL  # x32
    assert run(program, ARCH[machine], 435) == ENOSYS  # clone3: libc falls back to clone


WORDS = st.sampled_from(
    sorted(
        {
            v
            for c in CHECKED.values()
            for w in (*c.allowed, *c.ignored, *c.or_allowed)
            for v in w.values
        }
    )
) | st.integers(0, (1 << 32) - 1)
ARGUMENTS = st.lists(
    st.builds(lambda low, high: high << 32 | low, WORDS, st.sampled_from(NEARBY) | WORDS),
    min_size=6,
    max_size=6,
)


@given(
    machine=st.sampled_from(sorted(ARCH)),
    name=st.sampled_from(sorted(CHECKED)),
    arguments=ARGUMENTS,
    pid=st.integers(2, 1 << 22),
)
def test_checked_calls(machine: str, name: str, arguments: list[int], pid: int) -> None:
    checked = CHECKED[name]
    if (number := checked.numbers[seccomp.MACHINES.index(machine)]) is None:
        return
    arguments = [a - OWN_PID + pid if a & 0xFFFFFFFF == OWN_PID else a for a in arguments]
    expected = 0x50000 | checked.refused
    if checked.ignored and _all_hold(checked.ignored, arguments, pid):
        expected = 0x50000
    if checked.allowed and _all_hold(checked.allowed, arguments, pid):
        expected = ALLOW
    if checked.or_allowed and _all_hold(checked.or_allowed, arguments, pid):
        expected = ALLOW
    assert filtered(machine, number, *arguments, pid=pid) == expected


def _all_hold(words: tuple[Word, ...], arguments: list[int], pid: int) -> bool:
    return all(_holds(word, arguments, pid) for word in words)


def _holds(word: Word, arguments: list[int], pid: int) -> bool:
    half = arguments[word.argument] >> (32 if word.high else 0) & 0xFFFFFFFF
    if word.no_bits:
        return not half & word.no_bits
    if word.some_bits:
        return bool(half & word.some_bits)
    values = NEARBY if word.values == NEAR else word.values
    return half in [pid if value == OWN_PID else value for value in values]


@machines
def test_threads_and_processes(machine: str) -> None:
    clone = number_of("clone", machine)
    glibc, musl, process = 0x3D0F00, 0x7D0F00, 0x1200011
    assert filtered(machine, clone, glibc) == ALLOW
    assert filtered(machine, clone, musl) == ALLOW
    assert filtered(machine, clone, glibc | 5 << 32) == ALLOW  # the kernel takes the low half
    assert filtered(machine, clone, process) == EPERM
    for flag in range(32):  # a thread with one thing shared less, or one more asked for
        if (odd := glibc ^ 1 << flag) not in (glibc, musl):
            assert filtered(machine, clone, odd) == EPERM, hex(odd)


@machines
def test_threads_are_asked_for(machine: str) -> None:
    program = seccomp.thread_filter(machine)
    for number in range(600):
        asked = number in (number_of("clone", machine), number_of("exit", machine))
        assert run(program, ARCH[machine], number) == (ASK if asked else ALLOW)


@given(address=st.integers(1 << 40, 1 << 47), mib=st.integers(64, 1 << 15))
def test_memory_is_mapped_near_by(address: int, mib: int) -> None:
    halves = seccomp.near(address, mib << 20)
    reach = mib << 20
    for target in (0, 1 << 31, address, address - reach, address + reach):
        assert target >> 32 in halves
    assert len(halves) <= 2 * (reach // (1 << 32) + 1) + 2


pids = st.integers(2, 1 << 22)


@given(machine=st.sampled_from(sorted(ARCH)), pid=pids, other=pids | st.integers(-(1 << 22), 1))
def test_signals_reach_the_process_itself_alone(machine: str, pid: int, other: int) -> None:
    for name in ("kill", "tkill", "tgkill"):
        number = number_of(name, machine)
        assert filtered(machine, number, pid, 9, pid=pid) == ALLOW
        # The kernel takes the low half of the number: so must the filter.
        assert filtered(machine, number, pid | 5 << 32, 9, pid=pid) == ALLOW
        own_group = name == "kill" and other == 0
        expected = ALLOW if own_group or other == pid else EPERM
        assert filtered(machine, number, other, pid, pid=pid) == expected


def in_locked_fork(check: Callable[[], int], landlock: bool | None) -> int:
    """The byte that `check` returns in a forked child without walls but `lock_program`."""
    c = lockdown.libc()
    read, write = os.pipe()
    mine, server = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            lockdown.lock_program(c, True, 0, server.fileno(), landlock)
            os.write(write, bytes([check()]))
        finally:
            os._exit(0)
    os.close(write)
    try:
        said = os.read(read, 1)
    finally:
        os.close(read)
        mine.close()
        server.close()
        os.waitpid(pid, 0)
    return said[0]


def _refused(number: int, *arguments: int) -> bool:
    c = lockdown.libc()
    return c.syscall(number, *arguments) < 0 and ctypes.get_errno() == errno.EPERM


@on_linux
def test_seccomp_alone_holds_signals_in() -> None:
    """In the kernel, without Landlock: every way to signal the parent is refused, none to
    signal itself."""
    machine = os.uname().machine
    numbers = {name: number_of(name, machine) for name in ("kill", "tkill", "tgkill")}

    group = os.getpgid(0)

    def check() -> int:
        parent, own = os.getppid(), os.getpid()
        passed = [
            _refused(numbers["kill"], parent, 0),
            _refused(numbers["kill"], -1, 0),
            _refused(numbers["kill"], -group, 0),
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

    def signals_nobody() -> int:
        return _refused(number_of("kill", os.uname().machine), os.getppid(), 0)

    assert in_locked_fork(signals_nobody, None) == 1

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
        opens = number in (444, 317, 277)  # a Landlock domain, a listener
        return os.open(os.devnull, os.O_RDONLY) if opens and not failed else failed


@on_linux
@pytest.mark.parametrize("landlock", [True, False])
def test_every_step_of_the_lockdown_counts(landlock: bool) -> None:
    whole = Failing(-1)
    mine, server = socket.socketpair()
    with mine, server:
        lockdown.lock_program(whole, True, 0, server.fileno(), landlock)
        assert whole.calls == (6 if landlock else 4)
        for step in range(whole.calls):
            with pytest.raises(LockdownError):
                lockdown.lock_program(Failing(step), True, 0, server.fileno(), landlock)
