"""Rows of the public data sets, as curation reads them; they are in the folder SRPO_DATA."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.data.curate.clean import clean
from srpo.data.rows import read_rows

needs_data = pytest.mark.skipif(
    "SRPO_DATA" not in os.environ, reason="SRPO_DATA, the folder of the data sets, is not set"
)


@cache
def raw(name: str) -> list[Candidate]:
    """Every row of a set, in order."""
    [path] = Path(os.environ["SRPO_DATA"]).glob(f"{name}.json*")
    rows = list(read_rows(path))
    found = [(number, row) for number, row in rows if isinstance(row, dict)]
    assert len(found) == len(rows)
    layout = find_layout(found[0][1], name)
    return [read_row(layout, row, name, number) for number, row in found]


@cache
def cleaned(name: str, row: int) -> Candidate:
    """One row, cleaned."""
    return clean(raw(name)[row])
