"""Containment by bubblewrap: namespaces for everything, for kernels whose Landlock is too old."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from functools import cache

from srpo.sandbox import launch, warm
from srpo.sandbox.interpreter import Interpreter, base_path, ours
from srpo.sandbox.servers import Launched

PROBE_S = 10.0


class BubblewrapSandbox(warm.WarmSandbox):
    """Programs in forks of servers that bwrap has given namespaces of their own. No root needed.

    A program has: Python's own files to read, a private scratch directory (emptied between
    programs), its own process with up to 64 threads, hard limits. It has no network, no other
    files, not /proc, no new processes, no capabilities, no signals to or tracing of anything
    outside itself, no system call that is not in `inside.syscalls`. Its server is the first process
    of a process namespace: nothing inside can end it, and everything inside ends with it.

    What this does *not* isolate (the whole of it is in docs/security.md):
    - The kernel is shared: a kernel bug that is reachable through the system calls left open
      is an escape. Timing and cache side channels stay.
    - Memory is limited by address space per program: `workers` programs together may use
      `workers` times the limit. A control group holds the sum where one can be had.
    - CPU by time alone.
    - With a bwrap older than 0.7 the scratch directory is one of the host's: its quota is checked
      every 50 ms and can be overshot by what is written meanwhile; there no file can be removed
      or renamed.
    - The interpreter's own standard library is shared by all programs; compiled extensions
      and ctypes can be used inside the walls.
    - Inside the program's process nothing is secret: it can see the inputs of its tests, and
      answer without being called. It cannot see what is expected.
    """

    mechanism = "bubblewrap"

    def launch(self, scratch: str) -> Launched:
        return _BubblewrapProcess(scratch, self.walls(scratch), self.python)

    def walls(self, scratch: str) -> list[str]:
        """The command that the server's own is appended to."""
        return walls(scratch, self.python)


class _BubblewrapProcess:
    """bwrap, and the server in it: two processes, of which the server's end ends both."""

    def __init__(self, scratch: str, walls: list[str], python: Interpreter) -> None:
        info_r, info_w = os.pipe()
        server = launch.server_command(scratch, confined=True, python=python)
        server += [launch.SIZED] if "--size" in walls else []
        try:
            self._bwrap = subprocess.Popen(
                [*walls, "--info-fd", str(info_w), "--", *server],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=launch.server_environment(scratch),
                bufsize=0,
                pass_fds=[info_w],
            )
        except BaseException:
            os.close(info_r)
            raise
        finally:
            os.close(info_w)
        assert self._bwrap.stdin is not None
        assert self._bwrap.stdout is not None
        self.write_fd = self._bwrap.stdin.fileno()
        self.read_fd = self._bwrap.stdout.fileno()
        with open(info_r, "rb") as info:
            said = info.read()  # ends at once: bwrap writes before it goes on, or dies
        try:
            self.pid = int(json.loads(said)["child-pid"])
            self._server = os.pidfd_open(self.pid)  # numbers are used again, this is not
        except (ValueError, KeyError, OSError) as error:
            raise RuntimeError(self._end_bwrap() or f"bwrap gave no process ({error})") from error

    def end(self) -> str:
        try:
            signal.pidfd_send_signal(self._server, signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(self._server)
        return self._end_bwrap(patience_s=10)

    def _end_bwrap(self, patience_s: float = 0.5) -> str:
        """It ends by itself when it has reaped the server; else it is killed."""
        try:
            self._bwrap.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._bwrap.kill()
            self._bwrap.wait()
        return launch.last_words(self._bwrap.stderr, (self._bwrap.stdin, self._bwrap.stdout))


def walls(scratch: str, python: Interpreter) -> list[str]:
    """bwrap and its options: nothing is there but what is named here.

    Uses what bwrap 0.4 knows, so that older distributions can run it; the environment is
    therefore cleaned by whoever starts it.
    """
    options = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    options += ["--as-pid-1", "--cap-drop", "ALL", "--hostname", "sandbox"]
    for path in python.readable:
        options += ["--ro-bind", path, path]
    packages = _hidden_packages(python)
    for path in packages:
        options += ["--tmpfs", path]
    options += ["--ro-bind", launch.INSIDE, launch.INSIDE]
    for device in (os.devnull, "/dev/urandom"):
        options += ["--dev-bind", device, device]
    own = ["--size", str(launch.SCRATCH_BYTES), "--tmpfs", scratch]
    options += own if _knows_size() else ["--bind", scratch, scratch]
    options += ["--chdir", scratch]
    for path in (*packages, "/"):  # memory that would outlive the program
        options += ["--remount-ro", path]
    return [shutil.which("bwrap") or "bwrap", *options]


@cache
def _knows_size() -> bool:
    """Whether this bwrap can give a file system a size (0.7 can)."""
    said = subprocess.run([shutil.which("bwrap") or "bwrap", "--help"], capture_output=True)
    return b"--size" in said.stdout + said.stderr


def _hidden_packages(python: Interpreter) -> list[str]:
    """What lies among our own standard library without being a part of it."""
    paths = {base_path("purelib"), base_path("platlib")} - set(python.packages)
    covered = (p for p in paths if any(p.startswith(f"{one}/") for one in python.readable))
    return sorted(path for path in covered if os.path.isdir(path))


def why_not() -> str:
    """ "" when bwrap works here, else why it does not. Tries it: many a kernel, container and
    security module forbids what it needs, and only trying tells."""
    if shutil.which("bwrap") is None:
        return "bwrap is not installed (Debian's package is bubblewrap)"
    with tempfile.TemporaryDirectory(prefix="srpo-sandbox-") as scratch:
        command = [*walls(scratch, ours()), "--", ours().executable, "-I", "-S", "-c", ""]
        try:
            done = subprocess.run(
                command,
                env=launch.server_environment(scratch),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bwrap cannot be run ({error})"
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"bwrap ends with code {done.returncode}"
    return ""
