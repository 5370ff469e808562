"""The counts of a curation, from one pass over its rows; memory does not grow with them."""

from __future__ import annotations

import hashlib
import heapq
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from srpo.data.curate.judged import Judged

EXAMPLES = 3
BINS = 10  # of pass rates
LENGTHS = (50, 100, 200, 400, 800, 1600, 3200, 6400)  # characters of a question
_NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b|x\d+\b")

# The stages in their order, and what a chart has room for.
STAGES = {
    "read": "read",
    "complete": "complete",
    "filter": "filter",
    "language": "language",
    "verify": "verify",
    "duplicates": "doubles",
    "contamination": "leaks",
    "difficulty": "rating",
}


@dataclass(frozen=True)
class Example:
    """One row of a rule."""

    id: str
    evidence: str
    prompt: str


@dataclass
class Reason:
    """The rows that one rule has dropped."""

    stage: str
    count: int = 0
    chosen: list[tuple[int, Example]] = field(default_factory=list)

    def add(self, judged: Judged) -> None:
        """Count it; the examples are drawn by the ids' hashes, so always the same."""
        self.count += 1
        c = judged.candidate
        place = -int.from_bytes(hashlib.blake2b(c.id.encode(), digest_size=7).digest())
        entry = (place, Example(c.id, judged.evidence[:300], c.prompt[:400]))
        if len(self.chosen) < EXAMPLES:
            heapq.heappush(self.chosen, entry)
        elif place > self.chosen[0][0]:
            heapq.heapreplace(self.chosen, entry)

    @property
    def examples(self) -> list[Example]:
        return [example for _, example in sorted(self.chosen, reverse=True, key=lambda e: e[0])]


@dataclass
class Summary:
    """What became of all rows."""

    kept: int = 0
    dropped: int = 0
    sources: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    rates: list[int] = field(default_factory=lambda: [0] * (BINS + 1))
    lengths: dict[str, list[int]] = field(default_factory=dict)
    topics: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return self.kept + self.dropped

    def funnel(self) -> list[tuple[str, int, int]]:
        """Each stage with the rows that it dropped, and those left after it."""
        gone = Counter[str]()
        for reason in self.reasons.values():
            gone[reason.stage] += reason.count
        left = self.rows
        found = []
        for stage in (*STAGES, *(s for s in gone if s not in STAGES)):
            left -= gone[stage]
            found.append((stage, gone[stage], left))
        return found

    def add(self, judged: Judged) -> None:
        """The next row, kept or dropped."""
        c = judged.candidate
        of_source = self.sources.setdefault(c.source, Counter())
        of_source["rows"] += 1
        self.changes.update({_kind(change) for change in c.changes})
        self.notes.update({_kind(note) for note in judged.notes})
        if not judged.stays:
            self.dropped += 1
            self.reasons.setdefault(judged.reason, Reason(judged.stage)).add(judged)
            return
        self.kept += 1
        of_source["kept"] += 1
        self.languages[judged.language or "not said"] += 1
        self.difficulties[judged.difficulty or "not rated"] += 1
        if c.pass_rate is not None:
            self.rates[round(c.pass_rate * BINS)] += 1
        lengths = self.lengths.setdefault(c.domain, [0] * (len(LENGTHS) + 1))
        lengths[bisect_right(LENGTHS, len(c.prompt))] += 1
        topic = c.meta.get("topic")
        first = topic[0] if isinstance(topic, list) and topic else topic
        if isinstance(first, str):
            self.topics[first] += 1


def summarise(rows: Iterable[Judged]) -> Summary:
    """Of all rows, kept and dropped."""
    summary = Summary()
    for judged in rows:
        summary.add(judged)
    return summary


def _kind(words: str) -> str:
    """What a note or a change says, without what is of this row alone."""
    return _NUMBER.sub("", words.partition(":")[0]).strip()[:80]
