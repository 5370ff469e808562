"""No containment at all, for programs that you trust and machines that have nothing better."""

from __future__ import annotations

import subprocess

from srpo.sandbox import launch, warm
from srpo.sandbox.servers import Launched


class UnsafeSubprocess(warm.WarmSandbox):
    """The same warm servers without walls. Opened only when asked for by this name.

    What this does *not* isolate: anything. A program can read and change your files, use the
    network, signal and read other processes of yours, its own server among them, and leave
    processes behind that moved to a session of their own. Only the resource limits of
    `Limits` hold, and the clean environment. Never give it a model's output.
    """

    mechanism = "unsafe-subprocess"
    programs_reach_servers = True

    def launch(self, scratch: str) -> Launched:
        return _PlainProcess(scratch)


class _PlainProcess:
    def __init__(self, scratch: str) -> None:
        self._process = subprocess.Popen(
            launch.server_command(scratch, confined=False),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=scratch,
            env=launch.server_environment(scratch),
            bufsize=0,
            start_new_session=True,
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.write_fd = self._process.stdin.fileno()
        self.read_fd = self._process.stdout.fileno()

    def end(self) -> str:
        self._process.kill()
        self._process.wait()
        process = self._process
        return launch.last_words(process.stderr, (process.stdin, process.stdout))
