"""The `srpo` command in processes that begin with everything imported."""

from __future__ import annotations

import atexit
import os
import resource
import signal
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

import torch

from srpo import cli

# They are forked off one that has imported all this, which takes longer than to train a small run.
# pandas is what pyarrow imports for a table.
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["srpo.run.session", "srpo.report.picture", "pandas"])


class Forked:
    """`srpo ARGUMENTS`, on one thread, with what is used here of a `subprocess.Popen`."""

    def __init__(
        self,
        *arguments: object,
        output: Path | None = None,
        largest_file: int = resource.RLIM_INFINITY,
    ):
        self.output = output or Path(tempfile.mkstemp()[1])
        given = (self.output, [str(a) for a in arguments], largest_file)
        self._process = FORKS.Process(target=_main, args=given)
        self._process.start()
        atexit.register(self._process.kill)  # Python waits for those that a failed test left

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int:
        """Its exit code, -N after signal N."""
        self._process.join(300)
        code = self.poll()
        assert code is not None, self.output.read_text()
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Harmless if it is over."""
        if self.poll() is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def finish(self) -> tuple[int, str]:
        """Its exit code, and what it printed. The output's file is removed."""
        code, output = self.wait(), self.output.read_text()
        self.output.unlink()
        return code, output


def _main(output: Path, arguments: list[str], largest_file: int) -> None:
    with output.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.argv = ["srpo", *arguments]
    cli.main()
