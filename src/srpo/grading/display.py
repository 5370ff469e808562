"""What a person sees while a file is graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from srpo.report.phases import PhaseDisplay
from srpo.report.plain import duration
from srpo.types import Outcome


class GradingDisplay(PhaseDisplay):
    """How far it is, and the counts at the end."""

    def __init__(self) -> None:
        super().__init__("grading")

    def update(self, done: int, total: int) -> None:
        """So many responses are graded, of `total`; those before the first that is told, by an
        earlier command."""
        self.phase("grading", done, total, before=done - 1)

    def line(self, done: int, total: int, left: str) -> str:
        return f"{done:,} of {total:,} graded ({done / total:.0%}), {left} left"

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
