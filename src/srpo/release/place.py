"""Where a release may go: to a place of its own, never over something else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from srpo.files import replacing
from srpo.release.checksums import SUMS
from srpo.types import UserError

MARKS = ("config.json", "recipe.yaml", SUMS)  # what a release has, and nothing else has all of


def free_place(run: Path, to: Path, overwrite: bool) -> Path:
    """`to` without links and dots. Raises UserError where a release may not go."""
    out, source = to.resolve(), run.resolve()
    if out.is_relative_to(source):
        raise UserError(f"--to {str(to)!r} is in the run's own folder; give one outside of it")
    if not out.is_dir():
        if out.exists():
            raise UserError(f"--to {str(to)!r} is a file; give a folder")
        return out
    if not any(out.iterdir()):
        return out
    if not overwrite:
        raise UserError(
            f"--to {str(to)!r} is not empty; give another folder, or --overwrite to replace an"
            " earlier release"
        )
    if source.is_relative_to(out) or not all((out / name).is_file() for name in MARKS):
        raise UserError(
            f"--to {str(to)!r} is not empty and no earlier release (it lacks one of"
            f" {', '.join(MARKS)}), so --overwrite leaves it alone; give another folder"
        )
    return out


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out`, which it takes the place of in one move; where that fails, nothing of
    it is left. Raises UserError for what the file system refuses."""
    made = [p for p in out.parents if not p.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as folder:
            folder.mkdir()
            yield folder
    except (OSError, SafetensorError) as error:
        for parent in made:
            parent.rmdir()
        raise UserError(_refused(out, error)) from error
    except BaseException:
        for parent in made:
            parent.rmdir()
        raise


def _refused(out: Path, error: OSError | SafetensorError) -> str:
    """safetensors and tokenizers put the number of the failure in their text alone."""
    number = error.errno if isinstance(error, OSError) else None
    full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    why = os.strerror(number) if number else " ".join(str(error).split())[:200]
    fix = "make room" if full or number is None else "give a place that you can write to"
    return f"--to {str(out)!r}: cannot write there: {why}; {fix}"
