"""From a model on the CPU to shards of it on every rank (FSDP2, arXiv 2304.11277)."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from srpo.learner.scorer import Scorer
from srpo.models import load_model, model_path

CPU = torch.device("cpu")


def load_on_first(name: str, rank: int) -> PreTrainedModel:
    """The model in float32 on rank 0; on the others one of the same shapes without values, which
    takes no memory until it is written to. Raises UserError."""
    if rank == 0:
        return load_model(name, "float32", CPU)
    config = AutoConfig.from_pretrained(model_path(name), trust_remote_code=False)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
    model = model.to_empty(device="cpu")
    model.tie_weights()
    return model


def shard(scorer: Scorer, mesh: DeviceMesh, dtype: torch.dtype) -> None:
    """Split every weight over the ranks of `mesh`, and give each rank rank 0's values.

    A layer is gathered when it computes; the embedding is a unit of its own, unless it is tied to
    the output layer, which belongs to the root. Compute is in `dtype`; gradients are summed in
    float32. The loss has one denominator for all ranks, so sums are sums, not means.
    """
    model: Any = scorer.model
    whole = {name: p.detach() for name, p in model.named_parameters()}
    buffers = {name: b.detach() for name, b in model.named_buffers()}
    low = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    policy = MixedPrecisionPolicy() if dtype is torch.float32 else low
    for unit in units(model):
        fully_shard(unit, mesh=mesh, mp_policy=policy)
    # The root, too, is given back after a forward pass: one that only scores has no backward pass.
    fully_shard(scorer, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
    for module in scorer.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo knows no other
    _fill(model, whole, buffers, mesh)


def units(model: Any) -> list[nn.Module]:
    """What is gathered and given back by itself: each layer, and an embedding of its own."""
    layers: list[nn.Module] = [
        m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)
    ]
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    return layers if output.weight is embedding.weight else [*layers, embedding]


@torch.no_grad()
def _fill(
    model: nn.Module, whole: dict[str, Tensor], buffers: dict[str, Tensor], mesh: DeviceMesh
) -> None:
    """Rank 0's values, one weight at a time."""
    device = mesh.device_type
    for name, parameter in model.named_parameters():
        assert isinstance(parameter, DTensor)
        full = whole.pop(name).to(device)
        mine = distribute_tensor(full, mesh, parameter.placements)
        parameter.to_local().copy_(mine.to_local())
    for name, buffer in model.named_buffers():
        if dist.get_rank() == 0:
            buffer.copy_(buffers[name])
        dist.broadcast(buffer, 0)
