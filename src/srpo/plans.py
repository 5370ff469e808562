"""A folder of unfinished work: one process at a time, and always by the same plan."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from srpo.files import write_whole
from srpo.types import UserError


def claim(
    folder: Path,
    plan: dict[str, Any],
    out: Path,
    what: str,
    begin: Callable[[], None] = lambda: None,
    begun: Callable[[], bool] = lambda: True,
) -> IO[bytes]:
    """Lock a folder for work by `plan`, all that its results depend on.

    Args:
        folder: is made where it is not there.
        out: where the user wants the results, for errors.
        what: the work as `curation` or `evaluation`, for errors.
        begin: is called where there is no plan yet: it clears what is left of none.
        begun: whether anything was done by the plan that is there; if not, it is no loss.

    Returns:
        The lock, to be closed at the end.

    Raises:
        UserError: another process has it, or it holds work by another plan.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"--out is {str(out)!r}: a file is in the way; give a folder") from error
    lock = (folder / "lock").open("ab")
    file = folder / "plan.json"
    try:
        _lock(lock, out, what)
        if file.is_file() and begun():
            _check(json.loads(file.read_text(encoding="utf-8")), plan, out, what)
            return lock
    except UserError:
        lock.close()
        raise
    begin()
    write_whole(file, json.dumps(plan, indent=1))
    return lock


def _lock(lock: IO[bytes], out: Path, what: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UserError(f"{out}: another {what} is at work in it") from error


def _check(other: dict[str, Any], plan: dict[str, Any], out: Path, what: str) -> None:
    plan = json.loads(json.dumps(plan))
    if differ := sorted(k for k in plan | other if plan.get(k) != other.get(k)):
        raise UserError(
            f"--out: {str(out)!r} holds a part of another {what}, with another {differ[0]}; finish"
            " it with its own command, or give another folder"
        )
