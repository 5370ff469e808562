"""What is read of an evaluation's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srpo.evaluation.store import Responses
from srpo.types import UserError


def read_result(out: Path) -> dict[str, Any]:
    """The result of a finished evaluation. Raises UserError."""
    try:
        return json.loads((out / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{str(out)!r} is no finished evaluation: it has no result.json") from error


def part_files(out: Path, name: str) -> list[Path]:
    """The files of a set's responses, in order."""
    first = Responses(out).part(name, 0)
    return sorted(first.parent.glob(f"{first.stem.removesuffix('-00000')}-[0-9]*.parquet"))
