"""Writing tensors, with the same error for a full disk as everybody else's."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from srpo.files import umask_modes


def save_tensors(tensors: dict[str, Any], path: Path) -> None:
    """torch.save. Raises OSError."""
    try:
        torch.save(tensors, path)
    except RuntimeError as error:  # what torch makes of a full disk
        raise OSError(
            errno.ENOSPC, "torch could not write it; is the disk full?", str(path)
        ) from error


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
    config = folder / "config.json"  # it says what the model is in memory
    plain = json.loads(config.read_text(encoding="utf-8"))
    plain["dtype"] = str(dtype).removeprefix("torch.")
    config.write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", encoding="utf-8")
