"""`SHA256SUMS`: what `sha256sum -c` checks a folder's files by."""

from __future__ import annotations

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Of every file below the folder but this one, in the order of their names."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / SUMS)
    lines = [f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
