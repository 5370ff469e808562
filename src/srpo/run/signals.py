"""SIGINT and SIGTERM ask for a stop: after the step, or in the middle of an evaluation. A second
one stops at once."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any


class Stopped(Exception):
    """A signal asked for it; what is done is in the run's state."""


class StopSignal:
    """Context manager; `number` is the signal that came, or None. Main thread only. What each
    does is said at once, on standard error."""

    def __init__(self, how_to_go_on: str = "") -> None:
        """`how_to_go_on` is a command."""
        self.how_to_go_on = how_to_go_on
        self.number: int | None = None
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.previous[number] = signal.signal(number, self._received)
        return self

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if self.number is not None:
            self._say(f"stopped at once; go on from the last checkpoint with: {self.how_to_go_on}")
            raise KeyboardInterrupt
        self.number = number
        self._say("will stop after this step and save it; once more stops at once")

    def _say(self, text: str) -> None:
        """By the system: in a signal's handler the interpreter's own streams may be in use."""
        if self.how_to_go_on:
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{text}\n".encode())

    def check(self) -> None:
        """For places where it is good to stop. Raises Stopped."""
        if self.number is not None:
            raise Stopped

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
