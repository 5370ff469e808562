"""Weights on their way from the learner to whatever samples with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

NamedTensors = Iterable[tuple[str, Tensor]]

SHARD_BYTES = 2**28


@dataclass(frozen=True)
class WeightSource:
    """One version of all trained weights. Iterating gives (name, tensor), named as transformers
    names them, tied ones once, always in the same order; it can be done more than once.

    The tensors are the learner's own: they hold still until its next step, and no longer.

    version    the optimizer step that made them; 0 for the model as it was loaded
    metadata   the shape of each tensor by name, known before any of them is sent
    walk       begins a walk through the tensors
    saved      the same weights with the names and shapes of the model's files, where those differ
    send       sends them from where they are, to engines that wait for them (`srpo.transfer`); none
               means that this process holds them, and can
    """

    version: int
    metadata: dict[str, torch.Size]
    walk: Callable[[], NamedTensors]
    saved: WeightSource | None = None
    send: Callable[[str, int, float], None] | None = None  # address, receivers, deadline in s

    @property
    def in_files(self) -> WeightSource:
        """With the names of the model's files, which is what vLLM reads."""
        return self.saved or self

    @classmethod
    def of(cls, version: int, tensors: NamedTensors) -> WeightSource:
        """Of weights that this process holds whole, such as `model.named_parameters()`."""
        held = [(name, tensor.detach()) for name, tensor in tensors]
        return cls(version, {name: tensor.shape for name, tensor in held}, lambda: held)

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """A walk that fails, by AssertionError, if a tensor is not as announced or is missing."""
        missing = dict(self.metadata)
        for name, tensor in self.walk():
            shape = missing.pop(name, None)
            assert tensor.shape == shape, f"{name}: {tensor.shape}, announced as {shape}"
            yield name, tensor
        assert not missing, f"weights left stale: {sorted(missing)[:3]}"


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
