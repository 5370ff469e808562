"""Writing tensors, with the same error for a full disk as everybody else's."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from transformers import PreTrainedModel

from srpo.files import umask_modes
from srpo.weights import WeightSource, shards

FILE_BYTES = 2**32


def save_tensors(tensors: dict[str, Any], path: Path) -> None:
    """torch.save. Raises OSError."""
    with disk_errors(path):
        torch.save(tensors, path)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Around what torch writes: a full disk is an OSError, as everybody else's."""
    try:
        yield
    except (RuntimeError, CheckpointException) as error:  # what torch makes of it
        raise OSError(
            errno.ENOSPC, "torch could not write it; is the disk full?", str(path)
        ) from error


def save_by_layer(
    model: PreTrainedModel, weights: WeightSource, folder: Path, dtype: torch.dtype
) -> None:
    """As `save_model`, from weights that come one after the other. Raises OSError and
    SafetensorError."""
    model.save_pretrained(folder, state_dict={})
    for empty in folder.glob("*.safetensors*"):
        empty.unlink()
    total = sum(math.prod(shape) for shape in weights.metadata.values()) * dtype.itemsize
    names: dict[str, str] = {}
    for i, shard in enumerate(shards(weights, dtype, FILE_BYTES)):
        file = f"model-{i + 1:05d}.safetensors" if total > FILE_BYTES else "model.safetensors"
        save_file({n: t.cpu().contiguous() for n, t in shard}, folder / file, {"format": "pt"})
        names |= {name: file for name, _ in shard}
    if total > FILE_BYTES:
        index = {"metadata": {"total_size": total}, "weight_map": names}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    _write_dtype(folder, dtype)
    umask_modes(folder)


def save_model(model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> None:
    """In Hugging Face format, what is float32 in `dtype`. Raises OSError and SafetensorError."""
    if dtype is torch.float32:
        model.save_pretrained(folder)
    else:
        _save_as(model, folder, dtype)
    umask_modes(folder)


def _save_as(model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> None:
    low: dict[int, Tensor] = {}  # tied weights stay one
    state = {
        name: low.setdefault(t.data_ptr(), t.to(dtype)) if t.dtype is torch.float32 else t
        for name, t in model.state_dict().items()
    }
    model.save_pretrained(folder, state_dict=state)
    _write_dtype(folder, dtype)


def _write_dtype(folder: Path, dtype: torch.dtype) -> None:
    config = folder / "config.json"  # it says what the model is in memory
    plain = json.loads(config.read_text(encoding="utf-8"))
    plain["dtype"] = str(dtype).removeprefix("torch.")
    config.write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", encoding="utf-8")
