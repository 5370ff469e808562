"""What a layout adapter is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one family of public data sets spells its rows.

    name    for example `gsm8k`
    fits    whether a row is of this layout, by its columns and the types of their values
    read    the row as keyword arguments of `srpo.data.candidate.Candidate`, without `source` and
            `row`. Raises RowFault for a row of the layout that cannot be read
    """

    name: str
    fits: Callable[[Row], bool]
    read: Callable[[Row], dict[str, Any]]
