"""The mechanisms that contain, for tests that hold of all of them."""

from __future__ import annotations

import errno
import struct
import sys
from typing import cast

import pytest

from srpo.sandbox import available, open_sandbox
from srpo.sandbox.bubblewrap import BubblewrapSandbox
from srpo.sandbox.warm import WarmSandbox

WHY_NOT = available()
OLD = "bubblewrap, no Landlock"
LANDLOCK_CREATE = 444


def _param(name: str) -> object:
    why = WHY_NOT[name.partition(",")[0]]
    return pytest.param(name, marks=pytest.mark.skipif(bool(why), reason=f"no {name} here: {why}"))


needs_walls = pytest.mark.skipif(
    bool(WHY_NOT["sandlock"] and WHY_NOT["bubblewrap"]), reason=f"no containment here: {WHY_NOT}"
)
REAL = [_param(name) for name in ("sandlock", "bubblewrap", OLD)]


def opened(mechanism: str, workers: int) -> WarmSandbox:
    if mechanism == OLD:
        return OldKernel(workers)
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
        first = [sys.executable, "-c", start, no_landlock().hex()]
        return [*first, bwrap, "--seccomp", "200", *options]


def no_landlock() -> bytes:
    """A filter under which landlock_create_ruleset is not there."""
    missing = 0x00050000 | errno.ENOSYS
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, LANDLOCK_CREATE), (0x06, 0, 0, missing)]
    return b"".join(struct.pack("HBBI", *op) for op in [*code, (0x06, 0, 0, 0x7FFF0000)])
