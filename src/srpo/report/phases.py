"""What a person sees of work in phases: a bar, or lines where there is no terminal."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from srpo.report.plain import duration

EVERY_S = 10.0  # between two lines, where no bar can be drawn


class PhaseDisplay:
    """On standard error. Use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None)
        self._name, self._began, self._before, self._said = "", 0.0, 0, 0.0

    def phase(self, name: str, done: int, total: int) -> None:
        """So much of a phase is done, of `total` (0: not known)."""
        now = time.perf_counter()
        if name != self._name:
            self._name, self._began, self._before, self._said = name, now, done, now
            self._bar.reset(self._task, description=name, total=total or None)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total or None)
        elif now - self._said >= EVERY_S:
            self._said = now
            left = (now - self._began) / max(1, done - self._before) * (total - done)
            ends = f" of {total:,}, {duration(left)} left" if total else ""
            self.note(f"{name}: {done:,}{ends}")

    def note(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, style="dim", markup=False, soft_wrap=True)

    def __enter__(self) -> PhaseDisplay:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()
