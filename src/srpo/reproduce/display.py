"""What a person sees while a suite runs."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress

from srpo.reproduce.runner import State


class SuiteDisplay:
    """A bar over the tokens of all runs of a suite."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        columns = Progress.get_default_columns()
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("reproducing", total=None)

    def update(self, state: State) -> None:
        words = f"{state.finished} of {state.runs} runs, {state.running} running"
        self._bar.update(self._task, description=words, completed=state.tokens, total=state.budget)

    def __enter__(self) -> SuiteDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
