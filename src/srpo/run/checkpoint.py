"""Checkpoints: written whole or not at all, checked when read, the last good ones kept."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from srpo.files import replacing
from srpo.run.files import STATE
from srpo.types import UserError

TENSORS, ARRAYS, PLAIN, MANIFEST = "tensors.pt", "ledger.npz", STATE, "manifest.json"


class DamagedCheckpoint(UserError):
    """A checkpoint whose files are not those that were written."""


def save_checkpoint(
    folder: Path,
    step: int,
    tensors: dict[str, Any],
    arrays: dict[str, np.ndarray],
    plain: dict[str, Any],
    keep: int,
) -> Path:
    """Write `folder/step-N` in one move, then delete all but the newest `keep`.

    A process killed at any moment leaves the earlier checkpoints as they were. OSError (disk
    full) passes through with nothing of the new checkpoint left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{step:06d}"
    with replacing(final) as unfinished:
        unfinished.mkdir()
        save_tensors(tensors, unfinished / TENSORS)
        np.savez(unfinished / ARRAYS, **arrays)  # pyright: ignore[reportArgumentType]
        (unfinished / PLAIN).write_text(json.dumps(plain))
        manifest = {p.name: _digest(p) for p in sorted(unfinished.iterdir())}
        (unfinished / MANIFEST).write_text(json.dumps(manifest))
        for file in unfinished.iterdir():
            _sync(file)
    _sync(folder)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def save_tensors(tensors: dict[str, Any], path: Path) -> None:
    """torch.save, whose failure on a full disk is an OSError like everybody's."""
    try:
        torch.save(tensors, path)
    except RuntimeError as error:  # what torch makes of a full disk
        raise OSError(
            errno.ENOSPC, "torch could not write it; is the disk full?", str(path)
        ) from error


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(folder.glob("step-*"), key=lambda p: int(p.name.removeprefix("step-")))


def load_newest(
    folder: Path, say: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]] | None:
    """(tensors, arrays, plain) of the newest checkpoint that is whole; None without any.

    A damaged one is passed over, and `say` is told. Raises DamagedCheckpoint when there are
    checkpoints but none is whole.
    """
    found = checkpoints(folder)
    damage = ""
    for path in reversed(found):
        try:
            return _load(path)
        except DamagedCheckpoint as error:
            damage = str(error)
            say(f"{damage}; falling back to the one before")
    if found:
        raise DamagedCheckpoint(f"{damage}; no earlier checkpoint is whole, start the run anew")
    return None


def _load(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        for name in (TENSORS, ARRAYS, PLAIN):
            if _digest(path / name) != manifest[name]:
                raise DamagedCheckpoint(f"checkpoint {path}: {name} is damaged")
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, DamagedCheckpoint):
            raise
        raise DamagedCheckpoint(f"checkpoint {path}: incomplete ({error})") from error
    tensors = torch.load(path / TENSORS, map_location="cpu", weights_only=True)
    with np.load(path / ARRAYS, allow_pickle=False) as arrays:
        return tensors, dict(arrays), json.loads((path / PLAIN).read_text())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
