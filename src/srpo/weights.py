"""Weights on their way from the learner to whatever samples with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

NamedTensors = Iterable[tuple[str, Tensor]]


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
