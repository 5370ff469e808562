"""Which engine of a pool begins which work, and when: the longest first, to the least loaded.

Responses are of very different lengths, and a step lasts as long as its slowest engine. Longest
processing time first (Graham 1969) begins what is expected to take long while there is still
something short to fill the gaps with. What is expected is often wrong, so nothing is given away
before an engine has room for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Engine = TypeVar("Engine", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Work(Generic[Key]):
    """What one engine does without a break.

    key       the caller's own name for it; no two that are not done share one
    rows      responses that decode side by side
    expected  tokens of each, 0 where nothing is known
    """

    key: Key
    rows: int
    expected: float

    @property
    def load(self) -> float:
        """Tokens expected, and something where none are, so that rows count even then."""
        return self.rows * max(self.expected, 1.0)


@dataclass(slots=True)
class _Out(Generic[Key]):
    """What one engine has, and the sums over it."""

    work: dict[Key, Work[Key]] = field(default_factory=dict)
    rows: int = 0
    load: float = 0.0

    def begin(self, work: Work[Key]) -> None:
        self.work[work.key] = work
        self.rows, self.load = self.rows + work.rows, self.load + work.load

    def end(self, key: Key) -> None:
        work = self.work.pop(key)
        self.rows, self.load = self.rows - work.rows, self.load - work.load


class Schedule(Generic[Engine, Key]):
    """Work that waits, and what each engine has of it. Neither clock nor threads: the caller says
    what happens, and `assign` says what to do next.

    The order is a function of the calls alone. Results must not depend on it.
    """

    def __init__(self, engines: Iterable[Engine], max_rows: int):
        """`max_rows`: of one engine at a time. Work of more rows than that is alone there."""
        self.max_rows = max_rows
        self._engines: dict[Engine, _Out[Key]] = {engine: _Out() for engine in engines}
        self._waiting: list[tuple[float, int, Work[Key]]] = []  # a heap
        self._added = 0

    @property
    def open(self) -> bool:
        """Whether anything is not done yet."""
        return bool(self._waiting or any(each.work for each in self._engines.values()))

    def add(self, work: Iterable[Work[Key]]) -> None:
        """More to do."""
        for one in work:
            heapq.heappush(self._waiting, (-one.expected, self._added, one))
            self._added += 1

    def assign(self) -> Iterator[tuple[Engine, Work[Key]]]:
        """What is to be begun now, until no engine has room for the longest that waits."""
        while self._waiting:
            work = self._waiting[0][2]
            most = max(self.max_rows - work.rows, 0)
            free = [engine for engine, out in self._engines.items() if out.rows <= most]
            if not free:
                return
            engine = min(free, key=lambda e: self._engines[e].load)  # of equals the first
            heapq.heappop(self._waiting)
            self._engines[engine].begin(work)
            yield engine, work

    def done(self, engine: Engine, key: Key) -> None:
        """An engine has finished it, and has room for more."""
        self._engines[engine].end(key)

    def lost(self, engine: Engine) -> list[Work[Key]]:
        """The engine is gone; what it had waits again, and is returned."""
        unfinished = list(self._engines.pop(engine).work.values())
        self.add(unfinished)
        return unfinished

    def joined(self, engine: Engine) -> None:
        """There is one more."""
        assert engine not in self._engines, "an engine joins once"
        self._engines[engine] = _Out()
