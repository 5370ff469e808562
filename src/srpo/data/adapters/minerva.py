"""Minerva: https://arxiv.org/abs/2206.14858, physics and chemistry of OCW; no answer column, the
solution has it in a box."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "solution") and "answer" not in row


MINERVA = Layout("minerva", _fits, read_worked)
