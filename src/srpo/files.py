"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a new file or folder, beside `path`, whose place it takes in one move.

    Until then, and when the writing fails, `path` is what it was. What a killed process left half
    written goes with the next try.
    """
    unfinished = path.with_name(f".writing-{path.name}")
    _remove(unfinished)
    try:
        yield unfinished
        if path.is_dir():  # the one thing that a move does not replace
            shutil.rmtree(path)
        unfinished.replace(path)
    except BaseException:
        _remove(unfinished)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one move, as UTF-8. Lone surrogates, which a model may write, become
    escapes. Raises IsADirectoryError for a folder, which a file must not take the place of."""
    write_parts(path, [content])


def write_parts(path: Path, parts: Iterable[str | bytes]) -> None:
    """As `write_whole`, what is large one part after the other."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        for part in parts:
            file.write(
                part if isinstance(part, bytes) else part.encode("utf-8", "backslashreplace")
            )


def umask_modes(folder: Path) -> None:
    """Give the folder's weights the mode that files get here. safetensors lets their owner alone
    read them, and a server or a colleague cannot."""
    probe = folder / ".mode"
    probe.touch()
    mode = probe.stat().st_mode
    probe.unlink()
    for file in folder.glob("*.safetensors"):
        file.chmod(mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
