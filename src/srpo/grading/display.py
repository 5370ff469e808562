"""What a person sees while a file is graded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from srpo.report.plain import duration
from srpo.types import Outcome

EVERY_S = 10.0  # between two lines, where no bar can be drawn


class GradingDisplay:
    """On standard error: a bar, or lines where there is no terminal, and the counts at the end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("grading", total=None)
        self._started = self._said = time.perf_counter()
        self._before: int | None = None  # rows that an earlier command had graded

    def update(self, done: int, total: int) -> None:
        """So many responses are graded, of `total`."""
        if self._before is None:
            self._before = done - 1
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total)
            return
        now = time.perf_counter()
        if now - self._said >= EVERY_S:
            self._said = now
            left = (now - self._started) / max(1, done - self._before) * (total - done)
            self.note(f"{done:,} of {total:,} graded ({done / total:.0%}), {duration(left)} left")

    def note(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, style="dim", markup=False, soft_wrap=True)

    def summary(self, counts: Mapping[str, Counter[Outcome]], first_errors: Sequence[str]) -> None:
        """Print how each domain came out, the first rows in error, and the seconds it took."""
        for domain, found in sorted(counts.items()):
            right, wrong, failed = (found[outcome] for outcome in Outcome)
            share = f" ({right / (right + wrong):.1%})" if right + wrong else ""
            error = f", {failed:,} errors of ours (not graded)" if failed else ""
            text = f"{domain}: {right:,} of {right + wrong:,} correct{share}{error}"
            self._console.print(text, markup=False, soft_wrap=True)
        for line in first_errors:
            self._console.print(f"error in {line}", markup=False, soft_wrap=True)
        errors = sum(found[Outcome.ERROR] for found in counts.values())
        if (more := errors - len(first_errors)) > 0:
            self.note(f"and {more:,} more")
        total = sum(found.total() for found in counts.values())
        self.note(f"{total:,} responses in {duration(self.seconds)}")

    def __enter__(self) -> GradingDisplay:
        self._started = self._said = time.perf_counter()
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()
        self.seconds = time.perf_counter() - self._started
