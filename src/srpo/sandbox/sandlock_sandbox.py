"""Containment by sandlock, which sets up Landlock for files and signals."""

from __future__ import annotations

import os

from srpo.sandbox import launch, warm
from srpo.sandbox.interpreter import ours
from srpo.sandbox.servers import Launched


class SandlockSandbox(warm.WarmSandbox):
    """Programs in forks of servers that sandlock confines. No root or namespaces needed.

    A program has: Python's own files to read, a private scratch directory (emptied between
    programs), its own process with up to 64 threads, hard limits. It has no network, no other
    files, no new processes, no capabilities, no signals to or tracing of anything outside itself,
    no system call that is not in `inside.syscalls`.

    What this does *not* isolate (the whole of it is in docs/security.md):
    - The kernel is shared: a kernel bug that is reachable through the system calls left open
      is an escape. Timing and cache side channels stay.
    - Whether a file exists, its size and its times can be asked for by path; its contents, its
      attributes and the names in a folder cannot.
    - Memory is limited by address space per program: `workers` programs together may use
      `workers` times the limit. A control group holds the sum where one can be had.
    - CPU by time alone.
    - Where no mount namespace can be made, the scratch quota is checked every 50 ms and can be
      overshot by what is written meanwhile; there no file can be removed or renamed.
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
        first = [ours().executable, "-I", "-S", script, packages, scratch]
        first += [str(launch.SCRATCH_BYTES), launch.SIZED, *self.python.readable, launch.INSIDE]
        server = launch.server_command(scratch, confined=True, python=self.python)
        return [*first, "--", *server]
