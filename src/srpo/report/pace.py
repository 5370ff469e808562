"""How far a run is, and how long the rest will take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from srpo.metrics import Row
from srpo.report.plain import duration

RECENT = 20  # steps that the estimate of the time left looks back on


@dataclass
class Pace:
    """Of a run with these budgets, after the rows that it observed."""

    max_steps: int = 0
    max_tokens: int | None = None
    step: int = 0
    tokens: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))  # seconds of steps

    def observe(self, row: Row) -> None:
        self.step, self.tokens = row["step"], row.get("tokens/generated", 0)
        if (seconds := row.get("seconds/step")) is not None:
            self.recent.append(seconds)

    @property
    def steps_left(self) -> float:
        """By the budget that ends first: steps, or tokens at the run's mean."""
        left = max(self.max_steps - self.step, 0)
        if self.max_tokens is None or not self.tokens:
            return left
        return min(left, max(self.max_tokens - self.tokens, 0) / self.tokens * self.step)

    @property
    def seconds(self) -> float | None:
        """Of a step, lately."""
        return sum(self.recent) / len(self.recent) if self.recent else None

    @property
    def eta(self) -> str:
        """Time left at the pace of the last steps, evaluations left out."""
        return "?" if self.seconds is None else duration(self.seconds * self.steps_left)
