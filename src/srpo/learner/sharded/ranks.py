"""The seam between a sharded learner and the processes that hold its shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Ranks(Protocol):
    """Processes with a `LearnerRank` each, by their rank, wherever they run.

    What one of them raises is raised here. Where one dies, or is silent past its deadline, all are
    ended, and RankError names it: the others cannot go on without it.
    """

    count: int

    def call(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of every rank with the same arguments; the results by rank."""
        ...

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The same with arguments for each rank."""
        ...

    def close(self) -> None:
        """End the processes."""
        ...
