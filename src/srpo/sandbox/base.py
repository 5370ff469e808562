"""What a sandbox is asked to run, what it answers, and the protocol every mechanism keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from srpo.errors import UserError
from srpo.sandbox.conversation import Accept

Status = Literal[
    "ok", "exception", "timeout", "memory", "output", "killed", "stopped", "failed", "broken"
]

# Lowest and highest of each limit: Python itself takes 40 MiB, a server's file system has 64.
BOUNDS: dict[str, tuple[float, int]] = {
    "time_s": (0.01, 86_400),
    "memory_mb": (64, 1 << 18),
    "output_bytes": (1, 1 << 27),
    "scratch_mb": (1, 64),
}


def accept_all(_index: int, _value: Any) -> bool:
    """No value stops the program."""
    return True


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. A program is one process: fork and exec are denied.

    time_s        seconds for the whole program, all its calls together: of the wall clock, and
                  where others have the cores, of CPU time while it computes (`inside.clock`)
    memory_mb     address space (MiB), Python itself (about 40 MiB) included
    output_bytes  of standard output; and, counted apart, of returned values as JSON
    scratch_mb    all the files in the scratch directory together (MiB), removed ones that are
                  still open or mapped included; looked at every 50 ms. No file has more than a
                  quarter of it

    Raises UserError for a value out of bounds. Threads (64 at a time), descriptors (32), files
    (1000), pending signals (64) are the same for all.
    """

    time_s: float = 2.0
    memory_mb: int = 512
    output_bytes: int = 1_000_000
    scratch_mb: int = 64

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not least <= value <= most:
                raise UserError(f"limits.{name} is {value!r}: give a number from {least} to {most}")


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments of one call of the entry point; JSON values only."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TestCode:
    """Tests that are Python source. They run in a process of their own, contained too, which
    reaches the program's functions and objects by messages alone.

    With an entry point every source is run, and then its `check(candidate)` called; without
    one the sources are statements (asserts) that name the program's functions themselves.
    """

    __test__ = False  # no test class of pytest's

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Python source and how to run it. Expected outputs are no part of it, on purpose.

    With an `entry_point` (a function's name, "Class.method" or "Class().method") the source is
    run as a module, then every call is made, in order, and the values returned are the result.
    With `tests` the source is run as a module and the tests call it. With neither it is run as
    `__main__` and what it prints is the result. `setup` is source that the program may rely
    on: it is run before the program, and before the tests. `imports` is source that is run before
    the program alone; what it defines is not what the program defines.
    """

    code: str
    entry_point: str | None = None
    calls: tuple[Call, ...] = ()
    stdin: str = ""
    setup: str = ""
    imports: str = ""
    tests: TestCode | None = None


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What a program did.

    status   "ok": it ended by itself, or its tests passed. "exception": it raised, or exited
             before all was answered. "timeout", "memory", "output": that limit. "killed": a
             signal, or it brought servers down that other programs did not (see `warm`).
             "stopped": a value was not accepted. "failed": a test did not pass. "broken": the
             tests' own source fails, whatever the program
    values   what the calls returned, JSON values, one per call that was answered; on
             "exception" the values of the calls before it
    detail   for people: the exception's last line, the limit that was met, the failed test
    seconds  wall-clock time of the program alone
    """

    status: Status
    stdout: str = ""
    detail: str = ""
    values: tuple[Any, ...] = ()
    seconds: float = 0.0


class Sandbox(Protocol):
    """Runs untrusted Python. Each mechanism's docstring says what it does *not* isolate.

    `run` may be called from any thread, also from many at once. It returns for everything
    that a program can do and raises `SandboxError` for a failure of ours. Each value that a
    call returned is handed to `accept(index, value)` as it comes; at the first False the
    program is stopped. `close` ends every process and removes every file; it is safe to call
    twice. `bounds` says by what disk and memory are bounded, once a program has run.
    """

    mechanism: str
    bounds: dict[str, str]

    def run(self, program: Program, limits: Limits, accept: Accept = accept_all) -> ExecutionResult:
        """Run one program to its end, or to a limit. Raises SandboxError, UserError."""
        ...

    def close(self) -> None:
        """End every process and remove every file. Safe to call twice."""
        ...
