"""Data files for tests, and what reading them gives."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from srpo.data.reading import json_text, packed
from srpo.data.rows import file_rows, read_rows
from srpo.errors import RowFault
from srpo.types import UserError


def packed_as(name: str, content: bytes, level: int = 1) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(content, level)
    if name.endswith(".zst"):
        return pa.Codec("zstd").compress(content, asbytes=True)
    return content


@contextmanager
def written(name: str, content: bytes, chunk: int = 1 << 16) -> Iterator[Path]:
    """A file, while readers take so many bytes at a time."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(json_text, "_CHUNK", chunk)
        patch.setattr(packed, "BUFFER", max(1 << 10, chunk))
        path = Path(folder, name)
        path.write_bytes(packed_as(name, content))
        yield path


def rows_in(path: Path) -> list[Any]:
    """Of a file without a fault; strict and lenient reading agree on it."""
    found = list(read_rows(path))
    assert [number for number, _ in found] == list(range(len(found)))
    rows = [row for _, row in found]
    assert list(file_rows(path, None, "here")) == rows
    return rows


def mixed(path: Path) -> tuple[list[Any], list[str]]:
    """The good rows, and what is said of the others. Strict reading ends at the first of these."""
    rows, faults, good_before = [], [], 0
    for _, row in read_rows(path, where="here"):
        if isinstance(row, RowFault):
            faults.append(str(row))
            assert "\n" not in faults[-1]
            assert faults[-1].startswith("here")
            assert len(faults[-1]) < 700
        else:
            rows.append(row)
            good_before += not faults
    strict = file_rows(path, None, "here")
    assert [next(strict) for _ in range(good_before)] == rows[:good_before]
    if faults:
        with pytest.raises(UserError) as caught:
            next(strict)
        assert str(caught.value) == faults[0]
    return rows, faults
