"""A run whose learner is two processes: killed, resumed with another number, a rank lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from small_runs import differences, small_recipe
from srpo.observer import Observer
from srpo.run.session import train
from walls import needs_walls

pytestmark = needs_walls


class Killer(Observer):
    """Kills a rank while step `at` learns, once."""

    def __init__(self, at: int):
        self.at, self.steps, self.said, self.done = at, 0, [], False

    def step(self, row: Any) -> None:
        self.steps = row["step"]

    def message(self, text: str) -> None:
        self.said.append(text)

    def phase(self, name: str, done: int, total: int) -> None:
        if name == "learn" and self.steps + 1 == self.at and not self.done:
            self.done = True
            os.kill(ranks_of(os.getpid())[1], signal.SIGKILL)


def ranks_of(parent: int) -> list[int]:
    """Process ids of the ranks that a process has started, in their order."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if b"srpo.learner.sharded.child" in command and int(stat[1]) == parent:
            found.append(int(entry.name))
    return sorted(found)


def test_a_lost_rank_changes_nothing_of_the_run(tmp_path: Path) -> None:
    train(small_recipe(tmp_path / "whole", learner__ranks=2))
    killer = Killer(at=4)
    end = train(small_recipe(tmp_path / "killed", learner__ranks=2), killer)
    assert end.finished
    assert [t for t in killer.said if "learner rank 1 of 2 was killed (SIGKILL)" in t]
    assert differences(tmp_path / "whole", tmp_path / "killed") == []
