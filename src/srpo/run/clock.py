"""Where a step's time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Starts when it is made. `seconds` has those of each phase, and of the step, by name."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start

    def stop(self) -> float:
        """The seconds of the whole step."""
        self.seconds["step"] = time.perf_counter() - self.start
        return self.seconds["step"]
