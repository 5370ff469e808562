"""Killable processes that compare two mathematical expressions. Any thread may ask.

No signals, no fork of the host: each worker is a fresh interpreter, started when first needed
and replaced when it was killed, died, or has answered many requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from srpo.errors import MathWorkerError
from srpo.workers.pipes import FramedPipes, PeerGone, PeerSilent

ATTEMPTS = 20  # workers killed on one comparison, most of them while they start
STARVED = 2  # workers that a busy machine gave no time to, on one comparison
PATIENCE = 2  # wall-clock time in limits, where CPU time lags behind
CONTROL = ("x+1", "1+x")  # when both are slow, the machine is
START_S = 60.0  # importing sympy on a machine under load
REQUESTS_EACH = 5000  # then a fresh one: sympy's caches grow


@dataclass(frozen=True, slots=True)
class Comparison:
    """equal is None when the limit of CPU seconds passed first."""

    equal: bool | None
    detail: str = ""


class _Starved(Exception):
    """Not done in time, having had `cpu_s` seconds of CPU time."""

    def __init__(self, cpu_s: float) -> None:
        super().__init__(cpu_s)
        self.cpu_s = cpu_s


class _Worker:
    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONHASHSEED": "0",
        }
        self.requests = 0
        self._cpu_before = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from srpo.verifiers.math.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self._pipes = FramedPipes(self._process.stdin.fileno(), self._process.stdout.fileno())

    def wait_ready(self) -> None:
        self._pipes.receive(time.monotonic() + START_S)

    def ask(self, gold: str, answer: str, digits: int, limit_s: float) -> Comparison:
        """Raises PeerSilent when `limit_s` seconds of CPU time, or PATIENCE times as many by the
        clock, were not enough."""
        end = time.monotonic() + PATIENCE * limit_s
        request = {"gold": gold, "answer": answer, "digits": digits, "limit_s": limit_s}
        self.requests += 1
        self._cpu_before = _cpu_seconds(self.pid)
        self._pipes.send(json.dumps(request).encode(), end)
        while True:
            now, left = time.monotonic(), limit_s - self.cpu_seconds()
            if left <= 0 or now >= end:
                raise PeerSilent
            with suppress(PeerSilent):
                reply = json.loads(self._pipes.receive(min(end, now + max(left, 0.05))))
                return Comparison(bool(reply["equal"]), str(reply["detail"]))

    def cpu_seconds(self) -> float:
        """Spent since the last request: little means that the machine, not the answer, is slow."""
        spent = _cpu_seconds(self.pid)
        return spent - self._cpu_before

    @property
    def exit_code(self) -> int:
        """Of an ended worker; negative when a signal killed it."""
        return self._process.wait()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process so far; the clock's where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class MathWorkers:
    """Up to `workers` processes, each used by one thread at a time."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    def compare(self, gold: str, answer: str, digits: int, limit_s: float) -> Comparison:
        """Compare within `limit_s` seconds of CPU time, so that a busy machine makes no answer
        wrong. A worker that dies, also while it starts, or gets no CPU time, is replaced and
        asked again. Raises MathWorkerError after ATTEMPTS of them, or when none gets CPU time
        for a comparison that takes none: otherwise the answer is to blame."""
        late = Comparison(None, f"timed out after {limit_s:g} s")
        with self._slots:
            for _ in range(STARVED):
                try:
                    return self._ask(gold, answer, digits, limit_s)
                except _Starved as starved:
                    if starved.cpu_s >= limit_s / 2:
                        return late
            try:
                self._ask(*CONTROL, digits, limit_s)
            except _Starved:
                raise MathWorkerError(
                    f"a math worker got no CPU time in {PATIENCE * limit_s:g} s, "
                    f"{STARVED + 1} times: is the machine overloaded?"
                ) from None
            return late

    def _ask(self, gold: str, answer: str, digits: int, limit_s: float) -> Comparison:
        """Ask until a worker survives. Raises _Starved when one is not done in time."""
        for attempt in range(1, ATTEMPTS + 1):
            worker, keep = None, False
            try:
                worker = self._take()
                answered = worker.ask(gold, answer, digits, limit_s)
                keep = worker.requests < REQUESTS_EACH
                return answered
            except PeerSilent:
                raise _Starved(worker.cpu_seconds() if worker else 0.0) from None
            except (PeerGone, OSError, ValueError, KeyError) as error:
                if attempt == ATTEMPTS:
                    raise MathWorkerError(
                        f"{ATTEMPTS} math workers died on one comparison "
                        f"({type(error).__name__}: {error}): is there memory for them?"
                    ) from error
            finally:
                if worker is not None:
                    self._give(worker, keep)
        raise AssertionError("unreachable")

    def pids(self) -> list[int]:
        """Process ids of the workers that are alive now."""
        with self._lock:
            return [worker.pid for worker in self._all]

    def close(self) -> None:
        """End every worker; waits for comparisons under way. Safe to call twice."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for worker in idle:
            worker.end()
        for _ in range(self._workers):
            self._slots.acquire()
        for _ in range(self._workers):
            self._slots.release()

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise MathWorkerError("the math workers are closed")
            if self._idle:
                return self._idle.pop()
        worker = _Worker()
        with self._lock:
            self._all.add(worker)
        try:
            worker.wait_ready()
        except PeerSilent:
            self._give(worker, keep=False)
            raise MathWorkerError(f"a math worker did not start in {START_S:g} s") from None
        except PeerGone:
            self._give(worker, keep=False)
            if worker.exit_code > 0:  # not killed: starting again would not help
                raise MathWorkerError(
                    "a math worker did not start: is latex2sympy2_extended installed?"
                ) from None
            raise
        return worker

    def _give(self, worker: _Worker, keep: bool) -> None:
        with self._lock:
            keep = keep and not self._closed
            if keep:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
        if not keep:
            worker.end()
