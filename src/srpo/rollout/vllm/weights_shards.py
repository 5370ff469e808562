"""Weights on their way to an engine in another process, in pieces that memory holds."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler
from typing import NamedTuple

import torch
import torch.multiprocessing  # teaches ForkingPickler to share tensors
from torch import Tensor

from srpo.weights import NamedTensors

SHARD_BYTES = 2**28


def shards(
    weights: NamedTensors, dtype: torch.dtype, size: int = SHARD_BYTES
) -> Iterator[list[tuple[str, Tensor]]]:
    """The weights in their order, in the engine's dtype. A shard ends with the tensor that makes
    it `size` bytes or more."""
    shard: list[tuple[str, Tensor]] = []
    filled = 0
    for name, tensor in weights:
        shard.append((name, tensor.detach().to(dtype)))
        filled += tensor.numel() * dtype.itemsize
        if filled >= size:
            yield shard
            shard, filled = [], 0
    if shard:
        yield shard


class Packed(NamedTuple):
    """A shard as one tensor: to share memory costs the same for much and for little."""

    names: list[str]
    shapes: list[torch.Size]
    flat: Tensor

    @classmethod
    def of(cls, shard: list[tuple[str, Tensor]]) -> Packed:
        """A copy, on the tensors' device. What happens to them later does not reach it."""
        names, tensors = zip(*shard, strict=True)
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        return cls(list(names), [tensor.shape for tensor in tensors], flat)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Views of `flat`."""
        parts = self.flat.split([math.prod(shape) for shape in self.shapes])
        for name, shape, part in zip(self.names, self.shapes, parts, strict=True):
            yield name, part.view(shape)


def shared(packed: Packed) -> bytes:
    """For `Connection.recv`, which finds the tensor where it is: in CUDA IPC memory on a GPU, in
    shared memory on the CPU. A copy is in the bytes where that is not to be had.

    The process at the other end needs this one's `authkey`.
    """
    try:
        return bytes(ForkingPickler.dumps(packed))
    except (RuntimeError, OSError):  # no room left, or a GPU that cannot
        return copied(packed)


def copied(packed: Packed) -> bytes:
    """As `shared`, with the tensor's data in the bytes: slower, and works everywhere."""
    return pickle.dumps(packed._replace(flat=packed.flat.cpu()))
