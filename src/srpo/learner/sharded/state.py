"""A sharded learner's state on disk, by torch's distributed checkpoint.

Each rank writes its own shards; any number of ranks can read them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from srpo.learner.saving import disk_errors

MOMENTS = ("exp_avg", "exp_avg_sq")


def state_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Weights, moments and the moments' step by the weights' names. An optimizer that has made no
    step yet is given moments of 0, which is what it would begin with."""
    weights = dict(model.named_parameters())
    moments: dict[str, dict[str, Tensor]] = {}
    for name, weight in weights.items():
        state = optimizer.state[weight]
        if not state:
            # On the weight's device where the update is fused, as torch has it.
            on = weight.device if optimizer.defaults.get("fused") else None
            state["step"] = torch.zeros((), dtype=torch.float32, device=on)
            state |= {kind: torch.zeros_like(weight) for kind in MOMENTS}
        moments[name] = dict(state)
    return {"model": {n: w.detach() for n, w in weights.items()}, "moments": moments}


def save_shards(state: dict[str, Any], folder: Path) -> dict[str, str]:
    """Write them; returns the digests of this rank's files. Raises OSError."""
    rank = dist.get_rank()
    with disk_errors(folder):
        save(state, storage_writer=FileSystemWriter(folder))
    mine = [*folder.glob(f"__{rank}_*.distcp"), *(folder.glob(".metadata") if rank == 0 else [])]
    return {path.name: _digest(path) for path in mine}


def load_shards(state: dict[str, Any], folder: Path) -> None:
    """Read them into the tensors of `state`."""
    load(state, storage_reader=FileSystemReader(folder))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
