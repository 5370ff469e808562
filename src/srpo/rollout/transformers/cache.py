"""A key-value cache that does not copy itself at every token."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, LinearAttentionCacheLayerMixin

RECURRENT = LinearAttentionCacheLayerMixin  # linear attention, Mamba, short convolutions
ROOM = 64  # tokens allocated ahead


class RoomyLayer(DynamicLayer):
    """transformers' plain layer, with room to write into: `keys` and `values` are views of the
    filled part of larger buffers, (B, heads, T + room, head size)."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
            self.room: list[Tensor] = []
        assert self.keys is not None
        assert self.values is not None
        start, end = self.keys.shape[-2], self.keys.shape[-2] + key_states.shape[-2]
        if not self.room or self.room[0].shape[-2] < end:
            self.room = [_with_room(self.keys, end), _with_room(self.values, end)]
        for buffer, new in zip(self.room, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = new
        self.keys, self.values = (buffer[:, :, :end] for buffer in self.room)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self.room = []


def _with_room(filled: Tensor, needed: int) -> Tensor:
    batch, heads, length, size = filled.shape
    buffer = filled.new_empty(batch, heads, needed + ROOM, size)
    buffer[:, :, :length] = filled
    return buffer


def roomy_cache(model: PreTrainedModel) -> DynamicCache:
    """A cache for `model`; layers of other kinds (sliding windows, ...) stay transformers' own."""
    cache = DynamicCache(config=model.config)
    cache.layers = [
        RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache


def select_rows(cache: DynamicCache, rows: Tensor) -> None:
    """Keep (or repeat) the given rows of the batch; `rows` (B',) of indices."""
    with torch.no_grad():
        for layer in cache.layers:
            if isinstance(layer, RECURRENT):
                layer.reorder_cache(rows)  # pyright: ignore[reportArgumentType]
            else:
                layer.batch_select_indices(rows)  # pyright: ignore[reportAttributeAccessIssue]


def is_recurrent(model: PreTrainedModel) -> bool:
    """Whether layers carry a state from token to token, into which padding would go as well."""
    return any(isinstance(layer, RECURRENT) for layer in DynamicCache(config=model.config).layers)
