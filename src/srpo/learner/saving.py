"""Writing tensors, with the same error for a full disk as everybody else's."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import torch


def save_tensors(tensors: dict[str, Any], path: Path) -> None:
    """torch.save. Raises OSError."""
    try:
        torch.save(tensors, path)
    except RuntimeError as error:  # what torch makes of a full disk
        raise OSError(
            errno.ENOSPC, "torch could not write it; is the disk full?", str(path)
        ) from error
