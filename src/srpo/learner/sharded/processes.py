"""Ranks as processes of this machine, one a GPU; on the CPU each with its share of the cores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import Pipe, current_process
from multiprocessing.connection import wait
from typing import Any

import torch

from srpo.errors import RankError
from srpo.types import UserError

GRACE_S = 30.0  # for the others, once a rank has failed: what all find shows at once
CLOSE_S = 10.0  # for a process to end by itself


class ProcessRanks:
    """A `Ranks` that owns its processes."""

    def __init__(self, count: int, deadline_s: float):
        """Start them. Raises UserError when there are not so many GPUs.

        Args:
            deadline_s: for the answer to one call.
        """
        gpus = torch.cuda.device_count()
        if gpus and count > gpus:
            raise UserError(
                f"learner.ranks: {count}, but this machine has {gpus} GPUs; set"
                f" learner.ranks={gpus} or less, or start Ray on more machines (--ray)"
            )
        self.count, self.deadline_s = count, deadline_s
        self.processes: list[subprocess.Popen[bytes]] = []
        self.connections: list[Any] = []
        for rank in range(count):
            self._start(rank, gpus)

    def call(self, method: str, *arguments: Any) -> list[Any]:
        return self.each(method, [arguments] * self.count)

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        for rank, (connection, own) in enumerate(zip(self.connections, arguments, strict=True)):
            try:
                connection.send((method, own))
            except OSError as error:
                raise self._lost(rank, f"{self._how(rank)}, before {method}") from error
        answers: dict[int, tuple[str, Any]] = {}
        until = time.monotonic() + self.deadline_s
        while missing := [rank for rank in range(self.count) if rank not in answers]:
            ready = wait([self.connections[r] for r in missing], until - time.monotonic())
            if not ready:
                raise self._silent(missing, answers, method)
            for rank in missing:
                if self.connections[rank] in ready:
                    answers[rank] = self._receive(rank, method)
                    if answers[rank][0] == "raised":  # the others may wait for it in vain
                        until = min(until, time.monotonic() + GRACE_S)
        for kind, value in answers.values():
            if kind == "raised":
                raise value
        return [answers[rank][1] for rank in range(self.count)]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        until = time.monotonic() + CLOSE_S
        for process in self.processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, rank: int, gpus: int) -> None:
        ours, theirs = Pipe()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // self.count))
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        if gpus:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
            environment["CUDA_VISIBLE_DEVICES"] = visible.split(",")[rank]
        with theirs:
            command = [sys.executable, "-P", "-m", "srpo.learner.sharded.child"]
            process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        ours.send_bytes(current_process().authkey)
        self.processes.append(process)
        self.connections.append(ours)

    def _receive(self, rank: int, method: str) -> tuple[str, Any]:
        try:
            return self.connections[rank].recv()
        except (EOFError, OSError) as error:
            raise self._lost(rank, self._how(rank), method) from error

    def _silent(
        self, missing: list[int], answers: dict[int, tuple[str, Any]], method: str
    ) -> RankError:
        failed = next(((r, e) for r, (kind, e) in answers.items() if kind == "raised"), None)
        how = f"did not answer within {self.deadline_s:g} s"
        if failed:
            how = f"did not answer, after rank {failed[0]} failed ({failed[1]}),"
        return self._lost(", ".join(map(str, missing)), how, method)

    def _how(self, rank: int) -> str:
        """Its end, in words."""
        try:
            status = self.processes[rank].wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if status < 0:
            return f"was killed ({signal.Signals(-status).name})"
        return f"ended (status {status})"

    def _lost(self, rank: int | str, how: str, method: str = "") -> RankError:
        """The others wait for it in vain, so they end, too."""
        for process in self.processes:
            process.kill()
        self.close()
        during = f" during {method}" if method else ""
        return RankError(f"learner rank {rank} of {self.count} {how}{during}; all ranks were ended")
