"""Rollouts by vLLM in a process of its own, on the learner's machine.

What breaks vLLM does not break the learner: when its process dies, another one is started with the
same weights, and the requests without a group are sampled again with their seeds. That happens
once between two weight changes; the second time it is an error.

New weights go through memory that both processes see: the GPU's by CUDA IPC, shared memory on the
CPU. Where that fails they go as copies through the connection. An engine over several GPUs has
processes of its own, which no tensor reaches that way: `srpo.transfer` sends them, and where that
fails they go through a folder.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe, current_process
from typing import Any

import torch

from srpo.errors import EngineError, TransferError
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.vllm.setup import VllmSetup
from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.rollout.vllm.weights_shards import copied, shared
from srpo.transfer import free_address, send
from srpo.types import Rollout, UserError
from srpo.weights import Packed, WeightSource, shards

LOOK_S = 1.0  # how often a silent process is looked after
CLOSE_S = 10.0  # for a process to end by itself
TRANSFER_S = 60.0  # for vLLM's processes to come for new weights, and to take a shard
NO_MORE = pickle.dumps(None)


class DiedError(Exception):
    """The process is gone, or its vLLM is; what it was doing is lost."""


class VllmProcess:
    """A RolloutEngine around a process with a VllmEngine, which it owns."""

    def __init__(
        self,
        setup: VllmSetup,
        message: Callable[[str], None] = lambda _: None,
        folder: WeightsFolder | None = None,
    ):
        """Start the process; `message` is told of a restart. `folder` is for weights that cannot
        be sent. Raises UserError when vLLM is not there or does not start."""
        self.setup, self.message, self.folder = setup, message, folder
        self.on_gpu = setup.device.type == "cuda"
        self.loaded: WeightSource | None = None
        self.shares = True  # until a load fails
        self.restarted = False  # since the last weight change
        self.worker = self._start()

    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Yield finished groups. Raises UserError for a request that the context cannot hold."""
        left = dict(enumerate(requests))
        while left:
            try:
                asked = [replace(request, index=i) for i, request in left.items()]
                for i, rollouts in self.worker.generate(asked, sampling):
                    yield left.pop(i), rollouts
            except DiedError as error:
                self._restart(error, f"{len(left)} of {len(requests)} prompts are sampled again")

    def load_weights(self, source: WeightSource) -> None:
        """The source is kept, since a restart needs it: its tensors must not change before the
        last `generate` with them."""
        self.loaded, self.restarted = source.in_files, False
        if self.on_gpu:
            torch.cuda.empty_cache()  # what the learner no longer needs
        try:
            self._load(self.worker)
        except DiedError as error:
            self.shares = False  # in case it was that
            self._restart(error, "it starts with the new weights")
            self.restarted = False  # what it died of came before them

    def release(self) -> None:
        """On a GPU, give back weights and KV cache. On the CPU vLLM cannot."""
        try:
            self.worker.call("release")
        except DiedError:  # it has given back all; the new weights start another one
            self.worker.close()

    def close(self) -> None:
        """End the process."""
        self.worker.close()
        if self.folder:
            self.folder.remove()

    def _load(self, worker: Worker) -> None:
        source, parts = self.loaded, self.setup.config.tensor_parallel
        dtype = getattr(torch, self.setup.dtype)
        if source is None:
            return
        if parts == 1 and not source.send:
            packed = (Packed.of(shard) for shard in shards(source, dtype))
            worker.load_weights(source, map(shared if self.shares else copied, packed))
        elif self.shares or source.send or not self.folder:
            worker.receive_weights(source, parts, dtype)
        else:
            worker.call("load_folder", str(self.folder.write(source)), source.version)
        if self.on_gpu:
            torch.cuda.ipc_collect()  # what the other process has given back

    def _start(self) -> Worker:
        worker = Worker()
        try:
            worker.call("start", self.setup)
            self._load(worker)
        except BaseException as error:
            worker.close()
            if isinstance(error, DiedError):
                raise UserError(
                    f"rollout.placement 'process': vLLM did not start: {error}; if memory is short,"
                    " change rollout.gpu_memory_utilization or rollout.max_rows"
                ) from error
            raise
        return worker

    def _restart(self, error: DiedError, then: str) -> None:
        """Raises EngineError when that has been tried, or does not work."""
        self.worker.close()
        if self.restarted:
            raise EngineError(f"{error}, once more after a restart") from error
        self.restarted = True
        self.message(f"{error}; it is started again, and {then}")
        try:
            self.worker = self._start()
        except UserError as again:
            raise EngineError(f"{error}, and a restart failed: {again}") from again


class Worker:
    """The process and the connection to it; see `child.py` for what is said."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-P", "-m", "srpo.rollout.vllm.child"]
            self.process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.connection.send_bytes(current_process().authkey)  # shared memory is behind it

    def call(self, method: str, *arguments: Any) -> None:
        """Raises UserError as the engine does, and DiedError."""
        self._send(method, *arguments)
        assert self._receive() is None

    def load_weights(self, source: WeightSource, packed: Iterator[bytes]) -> None:
        """One shard at a time, when it is asked for. Raises as `call`."""
        self._send("load_weights", source.version, source.metadata)
        while self._receive():
            self._send_bytes(next(packed, NO_MORE))

    def receive_weights(self, source: WeightSource, receivers: int, dtype: torch.dtype) -> None:
        """By `srpo.transfer`. Raises as `call`."""
        address = free_address()
        self._send("receive_weights", address, 0, receivers, TRANSFER_S)
        try:
            send(source, address, receivers, TRANSFER_S, dtype)
        except TransferError as error:
            if self.connection.poll():  # it says why
                self._receive()
            raise DiedError(str(error)) from error
        assert self._receive() is None

    def generate(
        self, requests: list[Request], sampling: Sampling
    ) -> Iterator[tuple[int, list[Rollout]]]:
        """Index and rollouts of each request. Raises as `call`."""
        self._send("generate", requests, sampling)
        try:
            while group := self._receive():
                yield group
        except GeneratorExit:  # the caller stops early
            with suppress(DiedError):
                self._send("stop")
                while self._receive():
                    pass
            raise

    def close(self) -> None:
        """The process ends when it has nobody to listen to, or is killed."""
        self.connection.close()
        try:
            self.process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _send(self, *message: Any) -> None:
        self._send_bytes(pickle.dumps(message))

    def _send_bytes(self, message: bytes) -> None:
        try:
            self.connection.send_bytes(message)
        except OSError as error:
            raise self._died() from error

    def _receive(self) -> Any:
        """A group, or True where a shard is asked for, or None for "done"."""
        try:
            # A process that somebody forked elsewhere may hold the connection open after its end.
            while not self.connection.poll(LOOK_S):
                if self.process.poll() is not None and not self.connection.poll():
                    raise EOFError
            kind, value = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        if kind == "refused":
            raise UserError(value)
        if kind == "failed":
            raise DiedError(f"vLLM failed ({value})")
        return value

    def _died(self) -> DiedError:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(CLOSE_S)
        status = self.process.returncode
        if status is not None and status < 0:
            return DiedError(f"vLLM's process was killed ({signal.Signals(-status).name})")
        return DiedError(f"vLLM's process ended (status {status})")
