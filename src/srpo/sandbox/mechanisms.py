"""Which mechanisms this machine has, and how to open one. Nothing falls back to no walls."""

from __future__ import annotations

import os
import platform
import sys

from srpo.sandbox import bubblewrap
from srpo.sandbox.base import Sandbox
from srpo.sandbox.interpreter import find_interpreter
from srpo.types import UserError

MIN_LANDLOCK_ABI = 6  # signal scoping: a program cannot signal anything outside itself
ARCHITECTURES = ("x86_64", "aarch64")  # those whose system calls `inside.lockdown` knows
REAL = ("sandlock", "bubblewrap")  # those that contain, the first choice first
FIXES = (
    "Run on Linux 6.12 or newer with Landlock on and `pip install sandlock`; or install "
    "bubblewrap (`apt-get install bubblewrap`) where user namespaces are allowed"
)


def available() -> dict[str, str]:
    """Every mechanism by name, with "" when it works here, else why it does not."""
    return {
        "sandlock": _why_no_sandlock(),
        "bubblewrap": _why_no_bubblewrap(),
        "unsafe-subprocess": "",
    }


def open_sandbox(
    mechanism: str = "auto",
    workers: int | None = None,
    url: str | None = None,
    python: str | None = None,
) -> Sandbox:
    """Open a sandbox of `workers` servers (default: one per CPU), started when needed.

    "auto" is sandlock where it works, else bubblewrap. It is never "unsafe-subprocess",
    which contains nothing and has to be asked for by name. "sandboxfusion" is the service at
    `url`. `python` is what runs the programs, see `find_interpreter`.

    Raises UserError when the mechanism is unknown or cannot work here.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise UserError(f"sandbox workers is {workers}: give 1 or more")
    names = ("auto", *REAL, "sandboxfusion", "unsafe-subprocess")
    if mechanism not in names:
        raise UserError(f"sandbox mechanism is {mechanism!r}: choose one of {', '.join(names)}")
    if mechanism == "sandboxfusion" and python is not None:
        raise UserError(
            f"verifier.python is {python!r}: a sandboxfusion service has its own Python;"
            " leave it out"
        )
    interpreter = find_interpreter(python)
    if mechanism == "unsafe-subprocess":
        from srpo.sandbox.unsafe_subprocess import UnsafeSubprocess

        return UnsafeSubprocess(workers, interpreter)
    if mechanism == "sandboxfusion":
        from srpo.sandbox.sandboxfusion import SandboxFusion

        return SandboxFusion(url, workers)
    chosen = _working(mechanism)
    if chosen == "bubblewrap":
        return bubblewrap.BubblewrapSandbox(workers, interpreter)
    from srpo.sandbox.sandlock_sandbox import SandlockSandbox

    return SandlockSandbox(workers, interpreter)


def _working(mechanism: str) -> str:
    """The first of the mechanisms asked for that works here. Raises UserError when none does."""
    checks = {"sandlock": _why_no_sandlock, "bubblewrap": _why_no_bubblewrap}
    reasons = []
    for name in REAL if mechanism == "auto" else (mechanism,):
        why = checks[name]()
        if not why:
            return name
        reasons.append(f"{name}: {why}")
    raise UserError(
        f"sandbox mechanism {mechanism!r} cannot contain programs here: {'; '.join(reasons)}. "
        f"{FIXES}; or, for programs that you trust only, set the mechanism to "
        "'unsafe-subprocess'."
    )


def _why_no_sandlock() -> str:
    if why := _why_not_this_machine():
        return why
    try:
        import sandlock
    except (ImportError, OSError) as error:
        return f"the package sandlock cannot be imported ({error})"
    abi = sandlock.landlock_abi_version()
    if abi < MIN_LANDLOCK_ABI:
        return f"the kernel's Landlock ABI is {abi}, {MIN_LANDLOCK_ABI} is needed"
    return ""


def _why_no_bubblewrap() -> str:
    return _why_not_this_machine() or bubblewrap.why_not()


def _why_not_this_machine() -> str:
    if sys.platform != "linux":
        return f"it needs Linux, this is {sys.platform}"
    if platform.machine() not in ARCHITECTURES:
        return f"it needs one of {', '.join(ARCHITECTURES)}, this is {platform.machine()}"
    return ""
