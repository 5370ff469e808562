"""A sharded learner's state on disk, by torch's distributed checkpoint.

Each rank writes its own shards; any number of ranks can read them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor, distribute_tensor

from srpo.learner.optimizer import HostAdamW
from srpo.learner.saving import disk_errors
from srpo.types import UserError

WHOLE = "learner.pt"  # of a learner in one process
COUNTS = "learner.json"  # beside shards: steps, the reference's digest, shapes
MOMENTS = ("exp_avg", "exp_avg_sq")


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that learn: all, or the adapters."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def state_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Weights, moments and the moments' step by the weights' names. An optimizer that has made no
    step yet is given moments of 0, which is what it would begin with."""
    weights = trained(model)
    moments: dict[str, dict[str, Tensor]] = {}
    for name, weight in weights.items():
        state = optimizer.state[weight]
        if not state:
            # On the weight's device where the update is fused, as torch has it.
            on = weight.device if optimizer.defaults.get("fused") else None
            state["step"] = torch.zeros((), dtype=torch.float32, device=on)
            place = "cpu" if isinstance(optimizer, HostAdamW) else weight.device
            state |= {kind: torch.zeros_like(weight, device=place) for kind in MOMENTS}
        moments[name] = dict(state)
    return {"model": {n: w.detach() for n, w in weights.items()}, "moments": moments}


def save_shards(state: dict[str, Any], folder: Path) -> dict[str, str]:
    """Write them; returns the SHA-256 of this rank's files. Raises OSError."""
    rank = dist.get_rank()
    with disk_errors(folder):
        save(state, storage_writer=FileSystemWriter(folder))
    mine = [*folder.glob(f"__{rank}_*.distcp"), *(folder.glob(".metadata") if rank == 0 else [])]
    return {path.name: _digest(path) for path in mine}


def load_into(state: dict[str, Any], folder: Path) -> None:
    """Read into the tensors of `state` what any number of processes wrote."""
    if (folder / WHOLE).is_file():
        _load_whole(state, folder / WHOLE)
    else:
        load(state, storage_reader=FileSystemReader(folder))


@torch.no_grad()
def _load_whole(state: dict[str, Any], path: Path) -> None:
    """Each rank takes its shards of what is on disk."""
    whole = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    moments = whole["optimizer"]["state"]
    for i, (name, weight) in enumerate(state["model"].items()):
        _copy(whole["model"][name], weight)
        for kind, tensor in state["moments"][name].items():
            if i in moments:
                _copy(moments[i][kind], tensor)
            else:  # before its first step
                tensor.zero_()


def _copy(whole: Tensor, to: Tensor) -> None:
    if isinstance(to, DTensor):
        whole = distribute_tensor(whole.to(to.device), to.device_mesh, to.placements)
    to.copy_(whole)


def read_counts(folder: Path) -> dict[str, Any]:
    """Steps, reference and shapes of a checkpoint of any number of processes."""
    if not (folder / WHOLE).is_file():
        return json.loads((folder / COUNTS).read_text())
    whole = torch.load(folder / WHOLE, map_location="cpu", weights_only=True, mmap=True)
    shapes = {name: list(weight.shape) for name, weight in whole["model"].items()}
    return {"steps": whole["steps"], "reference": whole.get("reference"), "shapes": shapes}


def check_same(found: dict[str, Any], metadata: dict[str, Any], reference: str | None) -> None:
    """Raises UserError when a checkpoint is another model's, or was measured against another."""
    theirs, ours = found["shapes"], {name: list(shape) for name, shape in metadata.items()}
    if other := sorted(n for n in ours | theirs if ours.get(n) != theirs.get(n)):
        raise UserError(
            f"model: it is not the model that the run began with ({other[0]}: its shape was"
            f" {theirs.get(other[0], 'none')}, and is {ours.get(other[0], 'none')}); put that back"
        )
    if found["reference"] != reference:
        raise UserError(
            "model: its weights are not those that the run began with, and loss.kl_coef"
            " measures against those (learner.lora learns on top of them); put them back"
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
