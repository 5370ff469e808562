"""Weights in shards, shared or copied. That vLLM takes them: test_process."""

from __future__ import annotations

import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext

import pytest
import torch

from srpo.rollout.vllm.weights_shards import copied, shared
from srpo.weights import Packed


def large() -> Packed:
    shapes = [(300, 100), (7,), ()]
    return Packed.of([(f"layer.{i}", torch.randn(shape)) for i, shape in enumerate(shapes)])


@contextmanager
def no_shared_memory() -> Iterator[None]:
    """The system refuses files of more than a page, those in memory too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_shared_tensors_are_the_same_memory_and_copied_ones_are_not() -> None:
    for dumps, same in ((shared, True), (copied, False)):
        packed = large()
        message = dumps(packed)
        arrived: Packed = pickle.loads(message)
        assert torch.equal(arrived.flat, packed.flat)
        assert arrived._replace(flat=packed.flat) == packed
        assert (len(message) < 2000) == same
        packed.flat.fill_(5.0)
        assert bool((arrived.flat == 5.0).all()) == same


def answer(connection: Connection) -> None:
    """Another process, which changes what it gets."""
    packed: Packed = connection.recv()
    connection.send([tensor.sum().item() for _, tensor in packed.tensors()])
    connection.send(packed.flat.zero_().sum().item())


def sent_and_changed(packed: Packed, message: bytes, context: ForkContext | SpawnContext) -> bool:
    """Another process gets the message, and then this one sees what that did to the tensors."""
    sums = [tensor.sum().item() for _, tensor in packed.tensors()]
    ours, theirs = Pipe()
    process = context.Process(target=answer, args=(theirs,))
    process.start()
    ours.send_bytes(message)
    assert ours.recv() == pytest.approx(sums, abs=1e-3)
    assert ours.recv() == 0.0
    process.join()
    return bool((packed.flat == 0).all())


def test_another_process_shares_them() -> None:
    packed = large()
    assert sent_and_changed(packed, shared(packed), ForkContext())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_another_process_shares_them_on_a_gpu() -> None:
    packed = large()
    packed = packed._replace(flat=packed.flat.cuda())
    message = shared(packed)
    assert len(message) < 2000
    assert sent_and_changed(packed, message, SpawnContext())


def test_without_shared_memory_another_process_gets_a_copy() -> None:
    packed = large()
    with no_shared_memory():
        message = shared(packed)
    assert not sent_and_changed(packed, message, ForkContext())
