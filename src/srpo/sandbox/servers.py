"""Warm server processes: one, and a bounded number of them that threads share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from srpo.errors import SandboxError
from srpo.sandbox import cgroups
from srpo.workers.pipes import FramedPipes, PeerGone, PeerSilent

# The folder "$1", also where a program left folders in it that may not be listed.
REMOVE = 'chmod -R u+rwx -- "$1"; rm -rf -- "$1"'
START_S = 20.0  # a cold start is about 0.1 s; machines under load are slow


class Launched(Protocol):
    """A started server process: its pipes, and its end."""

    pid: int
    write_fd: int
    read_fd: int

    def end(self) -> str:
        """Kill, reap, close the pipes; what it wrote to standard error before it was ready."""
        ...


Launch = Callable[[str], Launched]


class Home:
    """What a sandbox has on the machine: the folder of all scratch directories, and a control
    group where one can be had. A process of its own removes them when ours has ended, also when it
    was killed."""

    # Killed with us, while it started, bwrap leaves a process that waits for it for ever.
    _KEEPER = (
        'read -r _ || for _ in 1 2; do sleep 0.3; grep -lsF -- "$1" /proc/[0-9]*/cmdline |'
        ' while IFS=/ read -r _ _ pid _; do [ "$pid" = $$ ] || kill -9 "$pid"; done; done; '
        f"for _ in 1 2 3 4 5 6 7 8 9; do {REMOVE} && "
        '(shift; [ $# = 0 ] || rmdir -- "$@") && exit; sleep 0.3; done'
    )

    def __init__(self, servers: int) -> None:
        self.path = tempfile.mkdtemp(prefix="srpo-sandbox-")
        self.group = cgroups.make(os.path.basename(self.path), servers)
        groups = map(str, self.group.folders) if self.group else ()
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", self._KEEPER, "sh", self.path, *groups],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def take_in(self, pid: int) -> None:
        """A new server, before it runs anything."""
        try:
            if self.group is not None:
                self.group.add(pid)
        except OSError:  # it may be made, but not joined
            self.group = None

    def allow(self, memory_mb: int) -> None:
        """A program of so many MiB is to come."""
        if self.group is not None:
            self.group.allow(memory_mb)

    def close(self) -> None:
        """Remove it all now. Safe to call twice."""
        self._keeper.communicate(b"closed\n" if self._keeper.poll() is None else None)


class WarmServer:
    """One server process and its scratch directory. Used by one thread at a time."""

    pipes: FramedPipes

    def __init__(self, launch: Launch, home: Home) -> None:
        self.scratch = tempfile.mkdtemp(dir=home.path)
        self._process: Launched | None = None
        try:
            self._process = launch(self.scratch)
            self.pipes = FramedPipes(self._process.write_fd, self._process.read_fd)
            said = json.loads(self.pipes.receive(time.monotonic() + START_S)[1:])
            self.sized = bool(said["sized"])  # whether its scratch is a file system of its own
            home.take_in(self._process.pid)
        except (PeerGone, PeerSilent, OSError, RuntimeError, ValueError) as error:
            why = self.close() or f"{type(error).__name__}: {error}"
            raise SandboxError(f"a sandbox server did not start: {why.strip()[-300:]}") from error

    @property
    def pid(self) -> int:
        """The process's id; -1 when it did not start."""
        return self._process.pid if self._process else -1

    def close(self) -> str:
        """End the process, remove the scratch directory."""
        words = ""
        if self._process is not None:
            words = self._process.end()
            self._process = None
        _remove(self.scratch)
        return words


def _remove(folder: str) -> None:
    """Also what may not be listed, and folders nested deeper than Python goes."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(folder):
        subprocess.run(
            ["/bin/sh", "-c", REMOVE, "sh", folder], stderr=subprocess.DEVNULL, check=False
        )


class Servers:
    """Up to `most` servers at work at a time, each started when first needed."""

    def __init__(self, start: Callable[[], WarmServer], most: int) -> None:
        self._start, self._most = start, most
        self._slots = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[WarmServer] = []
        self._all: set[WarmServer] = set()
        self._closed = False

    def take(self, fresh: bool = False) -> WarmServer:
        """An idle server or a new one; waits while `most` are at work. Raises SandboxError."""
        self._slots.acquire()
        try:
            return self._take(fresh)
        except BaseException:
            self._slots.release()
            raise

    def give(self, server: WarmServer, keep: bool) -> None:
        """Hand back what `take` gave; it is ended unless it is to be kept."""
        try:
            with self._lock:
                keep = keep and not self._closed
                if keep:
                    self._idle.append(server)
                else:
                    self._all.discard(server)
            if not keep:
                server.close()
        finally:
            self._slots.release()

    def pids(self) -> list[int]:
        """Process ids of the servers that are alive, idle or not."""
        with self._lock:
            return [server.pid for server in self._all]

    def close(self) -> None:
        """End the idle servers now; wait for each of the others to come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for server in idle:
            server.close()
        for _ in range(self._most):
            self._slots.acquire()
        for _ in range(self._most):
            self._slots.release()

    def _take(self, fresh: bool) -> WarmServer:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            old = self._idle.pop() if self._idle else None
            if old is not None and fresh:
                self._all.discard(old)
        if old is not None and not fresh:
            return old
        if old is not None:
            old.close()
        server = self._start()
        with self._lock:
            self._all.add(server)
        return server
