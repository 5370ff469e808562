"""Weights to other processes, over gloo: all of them, bit for bit, and nobody waits for ever."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed
from torch import Tensor

from forked import FORKS
from srpo.errors import EngineError, TransferError
from srpo.transfer import free_address, receive, send
from srpo.weights import NamedTensors, WeightSource

TYPES = [torch.float32, torch.bfloat16]
DEADLINE_S = 1.5


def weights(dtype: torch.dtype = torch.float32, count: int = 20) -> dict[str, Tensor]:
    """Of odd shapes, empty ones and scalars too, none of which is a number twice."""
    shapes: list[tuple[int, ...]] = [(), (0,), (3, 0), (1,)]
    shapes += [(random.randint(1, 40), random.randint(1, 40)) for _ in range(count)]
    random.shuffle(shapes)
    return {f"layer.{i}.weight": torch.randn(s).to(dtype) for i, s in enumerate(shapes)}


def source_of(tensors: dict[str, Tensor], version: int = 7) -> WeightSource:
    return WeightSource.of(version, tensors.items())


def equal(found: dict[str, Tensor], sent: dict[str, Tensor]) -> bool:
    return list(found) == list(sent) and all(
        found[name].dtype == sent[name].dtype
        and found[name].shape == sent[name].shape
        and torch.equal(found[name], sent[name])
        for name in sent
    )


class Receivers:
    """Processes that receive. Each leaves what it got, or the error, in a file."""

    def __init__(self, folder: Path, address: str, numbers: list[int], of: int, nap: float = 0.0):
        self.files = {n: folder / f"{n}.pt" for n in numbers}
        self.processes: dict[int, BaseProcess] = {}
        for n, file in self.files.items():
            given = (file, address, n, of, DEADLINE_S, nap)
            self.processes[n] = FORKS.Process(target=_receive, args=given, daemon=True)
            self.processes[n].start()

    def found(self, number: int) -> Any:
        self.processes[number].join(60)
        return torch.load(self.files[number], weights_only=True)

    def signal_halfway(self, number: int, what: signal.Signals) -> None:
        """When it has its first tensor."""
        while not self.files[number].with_suffix(".begun").exists():
            time.sleep(0.01)
        os.kill(self.processes[number].pid or 0, what)


def _receive(file: Path, address: str, n: int, of: int, deadline_s: float, nap: float) -> None:
    try:
        source = receive(address, n, of, deadline_s)
        found: Any = {"version": source.version, "metadata": list(source.metadata), "tensors": {}}
        for name, tensor in source:
            found["tensors"][name] = tensor
            file.with_suffix(".begun").touch()
            time.sleep(nap)
    except TransferError as error:
        found = str(error)
    torch.save(found, file)


def counted(tensors: dict[str, Tensor], walked: list[str]) -> WeightSource:
    """Notes how far it was walked."""

    def walk() -> Iterator[tuple[str, Tensor]]:
        for name, tensor in tensors.items():
            walked.append(name)
            yield name, tensor

    return WeightSource(3, {name: t.shape for name, t in tensors.items()}, walk)


@pytest.mark.parametrize("dtype", TYPES)
def test_all_receivers_have_all_tensors_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    """Beside a default group that the process has for something else."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://{free_address()}", rank=0, world_size=1
    )
    try:
        sent, address, many = weights(dtype), free_address(), random.randint(1, 3)
        receivers = Receivers(tmp_path, address, list(range(many)), many)
        version, shard_bytes = random.randint(0, 999), random.choice([1, 1000, 10_000_000])
        send(source_of(sent, version), address, many, 30.0, shard_bytes=shard_bytes)
        for number in range(many):
            found = receivers.found(number)
            assert found["version"] == version
            assert found["metadata"] == list(sent)
            assert equal(found["tensors"], sent)
        torch.distributed.barrier()
    finally:
        torch.distributed.destroy_process_group()


def threaded(address: str, *arguments: Any, **more: Any) -> threading.Thread:
    sending = partial(send, *arguments, **more)
    thread = threading.Thread(target=sending)
    thread.start()
    return thread


def test_the_engine_may_compute_in_another_dtype() -> None:
    sent, address = weights(), free_address()
    thread = threaded(address, source_of(sent), address, 1, 30.0, dtype=torch.bfloat16)
    source = receive(address, 0, 1, 30.0)
    assert equal(dict(source), {name: tensor.bfloat16() for name, tensor in sent.items()})
    thread.join()
    with pytest.raises(AssertionError, match="walked once"):
        dict(source)


def test_a_source_that_can_send_itself_does() -> None:
    asked: list[tuple[str, int, float]] = []
    source = WeightSource(1, {}, dict, send=lambda *given: asked.append(given))
    send(source, "host:1", 3, 9.0)
    assert asked == [("host:1", 3, 9.0)]


TENSORS, BYTES = 60, 4 * 2**20  # 240 MiB


def _made() -> NamedTensors:
    for i in range(TENSORS):
        yield f"{i}", torch.full((BYTES // 4,), float(i))


def _grown(what: Callable[[], None], file: Path) -> None:
    """How many bytes more the process had at its peak than when it began."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    what()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    file.write_text(str(1024 * grown))


def _send_made(address: str, shard_bytes: int) -> None:
    metadata = {f"{i}": torch.Size([BYTES // 4]) for i in range(TENSORS)}
    send(WeightSource(0, metadata, _made), address, 1, 30.0, shard_bytes=shard_bytes)


def _receive_made(address: str) -> None:
    for i, (_, tensor) in enumerate(receive(address, 0, 1, 30.0)):
        assert tensor[0] == tensor[-1] == i


def test_no_end_ever_holds_the_model(tmp_path: Path) -> None:
    address = free_address()
    ends = [partial(_send_made, address, BYTES), partial(_receive_made, address)]
    files = [tmp_path / "sender", tmp_path / "receiver"]
    for process in [
        FORKS.Process(target=_grown, args=given) for given in zip(ends, files, strict=True)
    ]:
        process.start()
    while not all(file.exists() and file.read_text() for file in files):
        time.sleep(0.05)
    most = [int(file.read_text()) for file in files]
    assert max(most) < TENSORS * BYTES / 2, (
        "with pages of libraries that are read for the first time"
    )


def test_receivers_that_do_not_come_are_named_and_the_others_served(tmp_path: Path) -> None:
    sent, address, here = weights(), free_address(), sorted(random.sample(range(4), 2))
    away = tuple(sorted({0, 1, 2, 3} - set(here)))
    receivers = Receivers(tmp_path, address, here, 4)
    with pytest.raises(EngineError) as caught:
        send(source_of(sent), address, 4, DEADLINE_S)
    assert isinstance(caught.value, TransferError)
    assert caught.value.missing == away
    for number in away:
        assert f"receiver {number} did not answer within 1.5 s" in str(caught.value)
    for number in here:
        assert f"receiver {number} " not in str(caught.value)
        assert equal(receivers.found(number)["tensors"], sent)


@pytest.mark.parametrize(
    ("what", "why"), [(signal.SIGKILL, "has died"), (signal.SIGSTOP, "did not answer within")]
)
def test_a_receiver_that_is_lost_on_the_way_takes_nobody_along(
    tmp_path: Path, what: signal.Signals, why: str
) -> None:
    sent, address, walked = weights(count=60), free_address(), []
    receivers = Receivers(tmp_path, address, [0, 1, 2], 3, nap=0.02)
    lost = random.randrange(3)
    killer = threading.Thread(target=receivers.signal_halfway, args=(lost, what))
    killer.start()
    try:
        with pytest.raises(TransferError, match=rf"1 of 3 .*: receiver {lost} {why}[^;]*$") as one:
            send(counted(sent, walked), address, 3, DEADLINE_S, shard_bytes=1)
        assert one.value.missing == (lost,)
        assert walked == list(sent)
        for number in {0, 1, 2} - {lost}:
            assert equal(receivers.found(number)["tensors"], sent)
        if what == signal.SIGSTOP:  # when it goes on, it knows that it has not got all
            os.kill(receivers.processes[lost].pid or 0, signal.SIGCONT)
            assert f"the weights from {address} broke off" in receivers.found(lost)
    finally:
        killer.join()
        receivers.processes[lost].kill()

    again = free_address()  # this process is none the worse
    receivers = Receivers(tmp_path, again, [0], 1)
    send(source_of(sent), again, 1, 30.0)
    assert equal(receivers.found(0)["tensors"], sent)


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSTOP])
def test_receivers_do_not_wait_for_a_sender_for_ever(tmp_path: Path, what: signal.Signals) -> None:
    address = free_address()
    sender = FORKS.Process(target=_send_slowly, args=(address,), daemon=True)
    sender.start()
    receivers = Receivers(tmp_path, address, [0, 1], 2)
    try:
        receivers.signal_halfway(0, signal.SIGCONT)  # only to know that it has begun
        os.kill(sender.pid or 0, what)
        for number in (0, 1):
            assert re.match(f"the weights from {address} broke off", receivers.found(number))
    finally:
        sender.kill()


def _send_slowly(address: str) -> None:
    tensors = weights(count=200)

    def walk() -> Iterator[tuple[str, Tensor]]:
        for one in tensors.items():
            time.sleep(0.05)
            yield one

    metadata = {name: tensor.shape for name, tensor in tensors.items()}
    send(WeightSource(0, metadata, walk), address, 2, 30.0, shard_bytes=1)


def test_where_nobody_sends_nothing_is_received() -> None:
    address = free_address()
    with pytest.raises(TransferError, match=f"the weights from {address} broke off"):
        receive(address, 0, 1, 0.3)


def test_the_walk_goes_to_its_end_even_if_nothing_can_be_sent() -> None:
    """The ranks of a sharded learner walk together."""
    sent, address = weights(), free_address()
    for receivers, taken in ((1, False), (1, True)):
        walked: list[str] = []
        store = torch.distributed.TCPStore(  # pyright: ignore[reportPrivateImportUsage]
            "127.0.0.1", int(address.split(":")[1]) if taken else 0, is_master=True
        )
        with pytest.raises(TransferError, match="cannot listen" if taken else "receiver 0 did not"):
            send(counted(sent, walked), address, receivers, 0.2)
        assert walked == list(sent)
        del store
