"""Which mechanisms this machine has, and how to open one. Nothing falls back silently."""

from __future__ import annotations

import os
import platform
import sys

from srpo.sandbox.base import Sandbox
from srpo.types import UserError

MIN_LANDLOCK_ABI = 6  # signal scoping: a program cannot signal anything outside itself
ARCHITECTURES = ("x86_64", "aarch64")  # those whose system calls `inside.lockdown` knows


def available() -> dict[str, str]:
    """Every mechanism by name, with "" when it works here, else why it does not."""
    return {"sandlock": _why_no_sandlock(), "unsafe-subprocess": ""}


def open_sandbox(mechanism: str = "auto", workers: int | None = None) -> Sandbox:
    """Open a sandbox of `workers` servers (default: one per CPU), started when needed.

    "auto" is the safest mechanism that this machine has. It is never "unsafe-subprocess",
    which contains nothing and has to be asked for by name.

    Raises UserError when the mechanism is unknown or cannot work here.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise UserError(f"sandbox workers is {workers}: give 1 or more")
    if mechanism == "unsafe-subprocess":
        from srpo.sandbox.unsafe_subprocess import UnsafeSubprocess

        return UnsafeSubprocess(workers)
    if mechanism in ("auto", "sandlock"):
        why = _why_no_sandlock()
        if why:
            raise UserError(
                f"sandbox mechanism {mechanism!r} cannot contain programs here: {why}. Run on "
                "Linux 6.12 or newer with Landlock on and `pip install sandlock`; or, for "
                "programs that you trust only, set the mechanism to 'unsafe-subprocess'."
            )
        from srpo.sandbox.sandlock_sandbox import SandlockSandbox

        return SandlockSandbox(workers)
    names = ", ".join(["auto", *available()])
    raise UserError(f"sandbox mechanism is {mechanism!r}: choose one of {names}")


def _why_no_sandlock() -> str:
    if sys.platform != "linux":
        return f"it needs Linux, this is {sys.platform}"
    if platform.machine() not in ARCHITECTURES:
        return f"it needs one of {', '.join(ARCHITECTURES)}, this is {platform.machine()}"
    try:
        import sandlock
    except (ImportError, OSError) as error:
        return f"the package sandlock cannot be imported ({error})"
    abi = sandlock.landlock_abi_version()
    if abi < MIN_LANDLOCK_ABI:
        return f"the kernel's Landlock ABI is {abi}, {MIN_LANDLOCK_ABI} is needed"
    return ""
