"""SIGINT and SIGTERM ask for a stop: after the step, or in the middle of an evaluation. A second
one stops at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class Stopped(Exception):
    """A signal asked for it; what is done is in the run's state."""


class StopSignal:
    """Context manager; `number` is the signal that came, or None. Main thread only."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.previous[number] = signal.signal(number, self._received)
        return self

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if self.number is not None:
            raise KeyboardInterrupt
        self.number = number

    def check(self) -> None:
        """For places where it is good to stop. Raises Stopped."""
        if self.number is not None:
            raise Stopped

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
