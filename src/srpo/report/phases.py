"""What a person sees of work in phases: a bar, or lines where there is no terminal."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from srpo.report.plain import duration

EVERY_S = 10.0  # between two lines, where no bar can be drawn


class PhaseDisplay:
    """On standard error. Use as a context manager; `seconds` is how long it was one, at its end.

    `first` is the phase that begins with it.
    """

    def __init__(self, first: str = "") -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task(first, total=None)
        self._name = first
        self._before: int | None = None  # what of the phase had been done when it began
        self._entered = self._began = self._said = time.perf_counter()

    def phase(self, name: str, done: int, total: int, before: int | None = None) -> None:
        """So much of a phase is done, of `total` (0: not known); `before` of it had been done when
        it began, by default as much as is told first."""
        now = time.perf_counter()
        if name != self._name:
            self._name, self._before = name, None
            self._began = self._said = now
            self._bar.reset(self._task, description=name)
        if self._before is None:
            self._before = done if before is None else before
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total or None)
        elif now - self._said >= EVERY_S:
            self._said = now
            left = (now - self._began) / max(1, done - self._before) * (total - done)
            self.note(self.line(done, total, duration(left)))

    def line(self, done: int, total: int, left: str) -> str:
        """How far the phase is, where no bar can be drawn."""
        return f"{self._name}: {done:,}" + (f" of {total:,}, {left} left" if total else "")

    def note(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, style="dim", markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._entered = self._began = self._said = time.perf_counter()
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()
        self.seconds = time.perf_counter() - self._entered
