"""Weights for an engine on a server, as a folder on disk: the way that works everywhere."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from srpo.files import umask_modes
from srpo.weights import WeightSource, shards


class WeightsFolder:
    """Keeps the newest weights only. The folder is made by the first `write`."""

    def __init__(self, path: Path, dtype: str):
        """`dtype` is the engine's: what it would round away is not written."""
        self.path, self.dtype = path.absolute(), getattr(torch, dtype)

    def write(self, source: WeightSource) -> Path:
        """Write a version beside the one before it, then remove that. Raises OSError."""
        folder = self.path / f"version-{source.version:06d}"
        before = [p for p in self.path.glob("version-*") if p != folder]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for i, shard in enumerate(shards(source.in_files, self.dtype)):
            tensors = {name: tensor.cpu().contiguous() for name, tensor in shard}
            try:
                save_file(tensors, folder / f"model-{i:05d}.safetensors")
            except SafetensorError as error:  # what safetensors makes of a full disk
                raise OSError(errno.ENOSPC, str(error), str(folder)) from error
        umask_modes(folder)
        for old in before:
            shutil.rmtree(old)
        return folder

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
