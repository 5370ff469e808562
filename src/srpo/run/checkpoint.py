"""Checkpoints: written whole or not at all, checked when read, the last good ones kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from srpo.errors import DamagedCheckpoint
from srpo.files import replacing

MANIFEST = "manifest.json"  # the digest of every other file


def save_checkpoint(
    folder: Path, step: int, write: Callable[[Path], dict[str, str] | None], keep: int
) -> Path:
    """Write `folder/step-N` in one move, then delete all but the newest `keep`.

    `write` fills the folder that it is given, and may return digests that it knows by then. A
    process killed at any moment leaves the earlier checkpoints as they were. OSError (disk full)
    passes through with nothing of the new checkpoint left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{step:06d}"
    with replacing(final) as unfinished:
        unfinished.mkdir()
        known = write(unfinished) or {}
        rest = [name for name in _files(unfinished) if name not in known]
        manifest = known | {name: _digest(unfinished / name) for name in rest}
        (unfinished / MANIFEST).write_text(json.dumps(manifest))
        for path in (unfinished, *unfinished.rglob("*")):
            _sync(path)
    _sync(folder)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(folder.glob("step-*"), key=lambda p: int(p.name.removeprefix("step-")))


def newest_whole(folder: Path, say: Callable[[str], None]) -> Path | None:
    """The newest checkpoint whose files are those that were written; None without any.

    A damaged one is passed over, and `say` is told. Raises DamagedCheckpoint when there are
    checkpoints but none is whole.
    """
    found = checkpoints(folder)
    damage = ""
    for path in reversed(found):
        try:
            _check(path)
            return path
        except DamagedCheckpoint as error:
            damage = str(error)
            say(f"{damage}; falling back to the one before")
    if found:
        raise DamagedCheckpoint(f"{damage}; no earlier checkpoint is whole, start the run anew")
    return None


def _check(path: Path) -> None:
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        if missing := manifest.keys() ^ set(_files(path)) - {MANIFEST}:
            raise DamagedCheckpoint(f"checkpoint {path}: incomplete ({', '.join(sorted(missing))})")
        for name, digest in manifest.items():
            if _digest(path / name) != digest:
                raise DamagedCheckpoint(f"checkpoint {path}: {name} is damaged")
    except (OSError, ValueError, AttributeError) as error:
        if isinstance(error, DamagedCheckpoint):
            raise
        raise DamagedCheckpoint(f"checkpoint {path}: incomplete ({error})") from error


def _files(path: Path) -> list[str]:
    """Names of all files below `path`, relative to it."""
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
