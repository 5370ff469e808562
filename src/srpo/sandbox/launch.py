"""What a mechanism needs to start a server: its command, its environment, its files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import IO

from srpo.sandbox.interpreter import Interpreter, ours

SCRATCH_BYTES = 80 << 20  # above what a program may take: too much shows before it is full
SIZED = "sized"
INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside")


def server_command(scratch: str, confined: bool, python: Interpreter | None = None) -> list[str]:
    """How to start `inside.server` with nothing of the surrounding environment. With one more
    word, SIZED, the scratch directory is a file system of its own, of `SCRATCH_BYTES`."""
    python = python or ours()
    start = (  # by location: the directory around it is not readable from inside
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('inside', {INSIDE + '/__init__.py'!r},"
        f" submodule_search_locations=[{INSIDE!r}])\n"
        "sys.modules['inside'] = u.module_from_spec(spec)\n"
        "from inside.server import main\n"
        f"main({scratch!r}, {confined!r}, sized={SIZED!r} in sys.argv,"
        f" packages={python.packages!r})\n"
    )
    return [python.executable, "-s", "-S", "-P", "-c", start]


def server_environment(scratch: str) -> dict[str, str]:
    """A fixed hash seed: the same program gives the same output in every server. Numbers are
    computed in one thread."""
    return {
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
    }


class ServerProcess:
    """A server that is a process of ours, from `command` on."""

    def __init__(self, command: list[str], scratch: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=scratch,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.write_fd = self._process.stdin.fileno()
        self.read_fd = self._process.stdout.fileno()

    def end(self) -> str:
        """Kill, reap, close the pipes; what it wrote to standard error before it was ready."""
        self._process.kill()
        self._process.wait()
        process = self._process
        return last_words(process.stderr, (process.stdin, process.stdout))


def last_words(stderr: IO[bytes] | None, others: Iterable[IO[bytes] | None]) -> str:
    """What an ended process still said on standard error; closes all its pipes."""
    words = b""
    if stderr is not None:
        os.set_blocking(stderr.fileno(), False)
        words = stderr.read() or b""
    for stream in (stderr, *others):
        if stream is not None:
            stream.close()
    return words.decode("utf-8", "replace")
