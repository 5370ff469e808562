"""Weights in shards, and a shard as one tensor."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from srpo.weights import Packed, shards

SHAPES = st.lists(st.lists(st.integers(0, 5), max_size=3).map(tuple), min_size=1, max_size=8)


def weights_of(shapes: list[tuple[int, ...]]) -> list[tuple[str, Tensor]]:
    return [(f"layer.{i}", torch.randn(shape)) for i, shape in enumerate(shapes)]


@given(SHAPES, st.integers(1, 400), st.sampled_from([torch.float32, torch.bfloat16]))
def test_shards_hold_all_weights_in_order_and_end_when_full(
    shapes: list[tuple[int, ...]], size: int, dtype: torch.dtype
) -> None:
    weights = weights_of(shapes)
    found = list(shards(weights, dtype, size))
    flat = [one for shard in found for one in shard]
    assert [name for name, _ in flat] == [name for name, _ in weights]
    for (_, now), (_, before) in zip(flat, weights, strict=True):
        assert now.dtype == dtype
        assert torch.equal(now, before.to(dtype))
    filled = [[t.numel() * dtype.itemsize for _, t in shard] for shard in found]
    assert all(sum(one) >= size for one in filled[:-1])
    assert all(sum(one[:-1]) < size for one in filled), "nothing after it was full"


@given(SHAPES)
def test_packed_tensors_come_out_as_they_went_in(shapes: list[tuple[int, ...]]) -> None:
    weights = weights_of(shapes)
    packed = Packed.of(weights)
    kept = [(name, tensor.clone()) for name, tensor in weights]
    for _, tensor in weights:
        tensor.zero_()
    for (name, now), (wanted, before) in zip(packed.tensors(), kept, strict=True):
        assert name == wanted
        assert torch.equal(now, before)


def test_another_dimension_order_is_packed_by_its_values() -> None:
    matrix = torch.randn(4, 6)
    [(_, found)] = Packed.of([("transposed", matrix.T)]).tensors()
    assert torch.equal(found, matrix.T)
