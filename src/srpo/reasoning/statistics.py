"""How often behaviours are shown, and what goes with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from srpo.evaluation.passk import student95, wilson
from srpo.reasoning.behaviours import BEHAVIOURS, KEYWORDS, OURS, find_marks, is_reflective
from srpo.reasoning.nano import NANO_BEHAVIOURS, nano_behaviours
from srpo.reasoning.program import find_check
from srpo.reasoning.responses import Response
from srpo.types import Outcome

REFLECTIVE, VERIFIED, AGREES = "reflective", "program that verifies", "and agrees"


@dataclass
class Count:
    """Responses with and without a behaviour.

    pairs   of each problem: [with, of correct], [with, of incorrect]
    """

    shown: int = 0
    hidden: int = 0
    marks: int = 0
    length_shown: int = 0
    length_hidden: int = 0
    correct_shown: int = 0
    judged_shown: int = 0
    pairs: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))


def shown_in(text: str, rules: str = OURS, domain: str | None = None) -> dict[str, int]:
    """How often a response shows each behaviour; one that it does not show is 0.

    Programs that verify are looked for in mathematics, and in what has no domain.
    """
    marks = find_marks(text, rules)
    names = BEHAVIOURS if rules == OURS else (KEYWORDS,)
    found = {name: sum(m.behaviour == name for m in marks) for name in names}
    found[REFLECTIVE] = int(is_reflective(marks))
    if rules == OURS:
        check = find_check(text) if domain in ("math", None) else None
        found[VERIFIED] = int(check is not None)
        found[AGREES] = int(check is not None and check.agrees is True)
        found |= nano_behaviours(text)
    return found


class Statistics:
    """Counts over responses, which are given one by one and not kept."""

    def __init__(self, rules: str = OURS) -> None:
        self.rules = rules
        self.counts: dict[str, Count] = defaultdict(Count)
        self.responses = self.length = 0
        self.words = False  # whether some lengths are in words
        self.by: dict[tuple[str, Any], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, response: Response) -> None:
        """One more."""
        found = shown_in(response.text, self.rules, response.domain)
        self.responses += 1
        self.length += response.length
        self.words |= not response.counted
        for name, times in found.items():
            self._count(self.counts[name], response, times)
        for kind, value in (("step", response.step), ("domain", response.domain)):
            if value is not None:
                group = self.by[kind, value]
                group["responses"] += 1
                for name, times in found.items():
                    group[name] += times > 0

    def _count(self, count: Count, response: Response, times: int) -> None:
        count.marks += times
        if times:
            count.shown += 1
            count.length_shown += response.length
        else:
            count.hidden += 1
            count.length_hidden += response.length
        if response.outcome not in (Outcome.CORRECT, Outcome.INCORRECT):
            return
        right = response.outcome == Outcome.CORRECT
        count.judged_shown += times > 0
        count.correct_shown += right and times > 0
        if response.problem is not None:
            pair = count.pairs[response.problem]
            at = 0 if right else 2
            pair[at] += times > 0
            pair[at + 1] += 1

    def rows(self) -> list[dict[str, Any]]:
        """Of each behaviour: the share of responses with its interval, how often in 1,000 tokens,
        mean lengths with and without it, the share of correct ones among those with it, and the
        difference within problems. What was never shown by nano's rules is left out."""
        return [
            _row(name, count, self)
            for name, count in self.counts.items()
            if count.shown or name not in NANO_BEHAVIOURS
        ]

    def curve(self, kind: str) -> dict[Any, dict[str, float]]:
        """The shares by `step` or `domain`."""
        return {
            value: {n: c / group["responses"] for n, c in group.items() if n != "responses"}
            for (k, value), group in sorted(self.by.items(), key=lambda item: item[0])
            if k == kind
        }


def _row(name: str, count: Count, whole: Statistics) -> dict[str, Any]:
    share = count.shown / max(whole.responses, 1)
    low, high = wilson(share, max(whole.responses, 1))
    return {
        "behaviour": name,
        "share": share,
        "low": low,
        "high": high,
        "per_1000": 1000 * count.marks / max(whole.length, 1),
        "length_with": count.length_shown / count.shown if count.shown else None,
        "length_without": count.length_hidden / count.hidden if count.hidden else None,
        "correct_with": count.correct_shown / count.judged_shown if count.judged_shown else None,
        "matched": matched(count.pairs),
    }


def matched(pairs: Mapping[str, Iterable[int]]) -> dict[str, float] | None:
    """How much more often correct responses show a behaviour than incorrect ones to the same
    problem: the mean over problems that have both, with its 95% interval. None with fewer than two
    such problems. Without matching, hard problems, which are answered at length, would decide."""
    found = [a / b - c / d for a, b, c, d in pairs.values() if b and d]
    n = len(found)
    if n < 2:
        return None
    mean = sum(found) / n
    error = sqrt(sum((x - mean) ** 2 for x in found) / (n - 1) / n)
    half = student95(n - 1) * error
    return {"problems": n, "difference": mean, "low": mean - half, "high": mean + half}
