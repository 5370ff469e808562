"""The seccomp filter as data: its jumps stay inside it, on every architecture."""

from __future__ import annotations

import struct

import pytest

from srpo.sandbox.inside.lockdown import seccomp_filter

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def run(program: bytes, arch: int, number: int, argument: int = 0) -> int:
    """Interpret the filter for one system call."""
    data = struct.pack("IIQ6Q", number, arch, 0, argument, *[0] * 5)
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


@pytest.mark.parametrize(
    ("machine", "arch", "numbers"),
    [
        ("x86_64", 0xC000003E, {"read": 0, "fork": 57, "clone": 56, "prlimit": 302, "exec": 59}),
        ("aarch64", 0xC00000B7, {"read": 63, "clone": 220, "prlimit": 261, "exec": 221}),
    ],
)
def test_filter(machine: str, arch: int, numbers: dict[str, int]) -> None:
    program = seccomp_filter(machine)
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
