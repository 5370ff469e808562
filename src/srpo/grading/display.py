"""What a person sees while a file is graded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from srpo.report.plain import duration
from srpo.types import Outcome


class GradingDisplay:
    """A bar on standard error while a file is graded, and the counts at the end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("grading", total=None)

    def update(self, done: int, total: int) -> None:
        """So many responses are graded, of `total`."""
        self._bar.update(self._task, completed=done, total=total)

    def summary(self, counts: Mapping[str, Counter[Outcome]]) -> None:
        """Print how each domain came out, and the seconds it took."""
        for domain, found in sorted(counts.items()):
            right, wrong, failed = (found[outcome] for outcome in Outcome)
            share = f" ({right / (right + wrong):.1%})" if right + wrong else ""
            error = f", {failed:,} errors of ours (not graded)" if failed else ""
            text = f"{domain}: {right:,} of {right + wrong:,} correct{share}{error}"
            self._console.print(text, markup=False)
        total = sum(found.total() for found in counts.values())
        text = f"{total:,} responses in {duration(self.seconds)}"
        self._console.print(text, style="dim", markup=False)

    def __enter__(self) -> GradingDisplay:
        self._started = time.perf_counter()
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        self.seconds = time.perf_counter() - self._started
