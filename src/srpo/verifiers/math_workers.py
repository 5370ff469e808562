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
from dataclasses import dataclass

from srpo.sandbox.pipes import FramedPipes, PeerGone, PeerSilent
from srpo.types import TrainingError

START_S = 60.0  # importing sympy on a machine under load
REQUESTS_EACH = 5000  # then a fresh one: sympy's caches grow


class MathWorkerError(TrainingError):
    """A worker could not be started, or died twice in a row on the same comparison."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """equal is None when the time limit passed first."""

    equal: bool | None
    detail: str = ""


class _Worker:
    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONHASHSEED": "0",
        }
        self.requests = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from srpo.verifiers.math_worker import main; main()"],
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

    def ask(self, gold: str, answer: str, limit_s: float) -> Comparison:
        deadline = time.monotonic() + limit_s
        request = {"gold": gold, "answer": answer, "limit_s": limit_s}
        self.requests += 1
        self._pipes.send(json.dumps(request).encode(), deadline)
        reply = json.loads(self._pipes.receive(deadline))
        return Comparison(bool(reply["equal"]), str(reply["detail"]))

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class MathWorkers:
    """Up to `workers` processes, each used by one thread at a time."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    def compare(self, gold: str, answer: str, limit_s: float) -> Comparison:
        """Compare within `limit_s` seconds. Raises MathWorkerError."""
        with self._slots:
            for last in (False, True):
                worker = self._take()
                keep = False
                try:
                    answered = worker.ask(gold, answer, limit_s)
                    keep = worker.requests < REQUESTS_EACH
                    return answered
                except PeerSilent:
                    return Comparison(None, f"timed out after {limit_s:g} s")
                except (PeerGone, ValueError, KeyError) as error:
                    if last:
                        raise MathWorkerError(f"a math worker died twice: {error}") from error
                finally:
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
        try:
            worker = _Worker()
        except OSError as error:
            raise MathWorkerError(f"a math worker did not start: {error}") from error
        with self._lock:
            self._all.add(worker)
        try:
            worker.wait_ready()
        except (PeerGone, PeerSilent) as error:
            self._give(worker, keep=False)
            raise MathWorkerError(
                f"a math worker did not start ({type(error).__name__}): is math-verify installed?"
            ) from error
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
