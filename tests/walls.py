"""The mechanisms that contain, for tests that hold of all of them."""

from __future__ import annotations

import platform
import struct
import sys
from typing import cast

import pytest

from srpo.sandbox.bubblewrap import BubblewrapSandbox
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.sandbox.sandlock_sandbox import SandlockSandbox
from srpo.sandbox.warm import WarmSandbox

WHY_NOT = available()
OLD = "bubblewrap, no Landlock"
BARE = "sandlock, no namespaces"  # as in most containers
LANDLOCK_CREATE = 444
UNSHARE, MOUNT = {"x86_64": (272, 165), "aarch64": (97, 40)}.get(platform.machine(), (0, 0))
EPERM, ENOSYS = 1, 38


def _param(name: str) -> object:
    why = WHY_NOT[name.partition(",")[0]]
    return pytest.param(name, marks=pytest.mark.skipif(bool(why), reason=f"no {name} here: {why}"))


needs_walls = pytest.mark.skipif(
    bool(WHY_NOT["sandlock"] and WHY_NOT["bubblewrap"]), reason=f"no containment here: {WHY_NOT}"
)
REAL = [_param(name) for name in ("sandlock", "bubblewrap", OLD, BARE)]


def opened(mechanism: str, workers: int) -> WarmSandbox:
    if mechanism in PLAYED:
        return PLAYED[mechanism](workers)
    return cast(WarmSandbox, open_sandbox(mechanism, workers))


class OldKernel(BubblewrapSandbox):
    """bubblewrap on a kernel without Landlock, which a filter around the server plays."""

    def walls(self, scratch: str) -> list[str]:
        bwrap, *options = super().walls(scratch)
        start = (
            "import os, sys\n"
            "fd = os.memfd_create('filter')\n"
            "os.write(fd, bytes.fromhex(sys.argv[1])); os.lseek(fd, 0, 0); os.dup2(fd, 200)\n"
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        first = [sys.executable, "-c", start, without({LANDLOCK_CREATE: ENOSYS}).hex()]
        return [*first, bwrap, "--seccomp", "200", *options]


class NoNamespaces(SandlockSandbox):
    """sandlock where no namespace may be made and nothing mounted, which a filter plays."""

    def command(self, scratch: str) -> list[str]:
        start = (
            "import ctypes, os, struct, sys\n"
            "c, code = ctypes.CDLL(None), bytes.fromhex(sys.argv[1])\n"
            "kept = ctypes.create_string_buffer(code, len(code))\n"
            "where = struct.pack('HxxxxxxQ', len(code) // 8, ctypes.addressof(kept))\n"
            "assert c.prctl(38, 1, 0, 0, 0) == c.prctl(22, 2, where, 0, 0) == 0\n"
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        code = without({UNSHARE: EPERM, MOUNT: EPERM})
        return [sys.executable, "-c", start, code.hex(), *super().command(scratch)]


PLAYED = {OLD: OldKernel, BARE: NoNamespaces}


def without(calls: dict[int, int]) -> bytes:
    """A filter under which these system calls end with these error numbers."""
    code = [(0x20, 0, 0, 0)]
    for number, error in calls.items():
        code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error)]
    return b"".join(struct.pack("HBBI", *op) for op in [*code, (0x06, 0, 0, 0x7FFF0000)])
