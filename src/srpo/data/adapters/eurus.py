"""Eurus-2-RL: https://huggingface.co/datasets/PRIME-RL/Eurus-2-RL-Data. verl's rows, whose source
says where a problem comes from: `numina_olympiads`, `apps`, `taco`."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.verl import VERL, read_verl

_SOURCES = ("apps", "taco", "codecontests", "codeforces")


def _fits(row: Row) -> bool:
    source = str(row.get("data_source"))
    return VERL.fits(row) and (source.startswith("numina_") or source in _SOURCES)


def _read(row: Row) -> dict[str, Any]:
    """The source is the only topic that there is."""
    found = read_verl(row)
    found["meta"].setdefault("topic", row["data_source"])
    return found


EURUS = Layout("eurus", _fits, _read)
