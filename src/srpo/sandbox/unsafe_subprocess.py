"""No containment at all, for programs that you trust and machines that have nothing better."""

from __future__ import annotations

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
        command = launch.server_command(scratch, confined=False, python=self.python)
        return launch.ServerProcess(command, scratch, launch.server_environment(scratch))
