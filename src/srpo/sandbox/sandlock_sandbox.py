"""Containment by sandlock: Landlock for files and signals, seccomp for system calls."""

from __future__ import annotations

import os

from srpo.sandbox import launch, warm
from srpo.sandbox.servers import Launched


class SandlockSandbox(warm.WarmSandbox):
    """Programs in forks of servers that sandlock confines. No root or namespaces needed.

    A program has: Python's own files to read, a private scratch directory (emptied between
    programs), its own process with threads, hard limits. It has no network, no other files,
    no new processes, no capabilities, no signals to or tracing of anything outside itself.

    What this does *not* isolate:
    - The kernel is shared: a kernel bug that is reachable through the system calls left open
      is an escape. Timing and cache side channels stay.
    - Whether a file exists, its size and its times can be asked for by path; its contents and
      the names in a folder cannot.
    - The process table is visible as far as `kill(pid, 0)` errors tell; /proc is not readable.
    - Memory is limited by address space per program, not by a cgroup: `workers` programs
      together may use `workers` times the limit.
    - Threads are bounded only by the address space that their stacks take; CPU by time alone.
    - The scratch quota is checked every 50 ms: it can be overshot by what is written meanwhile,
      and by files that were removed while open (at most 27 of a quarter of the quota each).
    - The interpreter's own standard library is shared by all programs; compiled extensions
      and ctypes can be used inside the walls.
    - Inside the program's process nothing is secret: it can see the inputs of its tests, and
      answer without being called. It cannot see what is expected.
    """

    mechanism = "sandlock"

    def launch(self, scratch: str) -> Launched:
        command = self.command(scratch)
        return launch.ServerProcess(command, scratch, launch.server_environment(scratch))

    def command(self, scratch: str) -> list[str]:
        """What starts a server: `confine`, which ends as `inside.server`."""
        import sandlock

        packages = os.path.dirname(os.path.dirname(sandlock.__file__))
        script = os.path.join(os.path.dirname(launch.INSIDE), "confine.py")
        first = [launch.base_python(), "-I", "-S", script, packages, scratch]
        first += [str(launch.SCRATCH_BYTES), launch.SIZED, *launch.readable(), launch.INSIDE]
        return [*first, "--", *launch.server_command(scratch, confined=True)]
