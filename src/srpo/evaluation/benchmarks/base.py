"""What a benchmark is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


def every(row: dict[str, Any]) -> bool:
    """Every row belongs to it."""
    return True


@dataclass(frozen=True)
class Benchmark:
    """A set of problems that models are compared on.

    name       as `--on` has it, and the beginning of its problems' ids
    title      as reports have it
    domain     math or code
    hub        the data set, as data sources name one: owner/name[:config[:split]]
    hub_files  files of that data set, where its rows are in no format that the hub's library reads
    files      what it may be called in a `--data` folder, without the ending; * stands for anything
    url        where it is described
    license    as its owners state it
    belongs    whether a row is of the benchmark, where the data set holds more
    dated      whether its problems have dates, by which a part can be asked for
    errata     problems, by their original ids, that cannot be graded, and why
    """

    name: str
    title: str
    domain: Literal["math", "code"]
    hub: str
    files: tuple[str, ...]
    url: str
    license: str = "not stated"
    hub_files: tuple[str, ...] = ()
    belongs: Callable[[dict[str, Any]], bool] = every
    dated: bool = False
    errata: Mapping[str, str] = field(default_factory=dict)
