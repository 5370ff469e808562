"""Which reasoning behaviours a response shows, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from srpo.reasoning.exploration import EXPLORATION
from srpo.reasoning.hesitation import HESITATION
from srpo.reasoning.published import PUBLISHED
from srpo.reasoning.recheck import RECHECK
from srpo.reasoning.sentences import sentences
from srpo.types import UserError

OURS = "srpo"
BEHAVIOURS = {"recheck": RECHECK, "hesitation": HESITATION, "exploration": EXPLORATION}
KEYWORDS = "keywords"  # the only behaviour that a published list knows


@dataclass(frozen=True, slots=True)
class Mark:
    """A behaviour between two places of a response, and the rule or word that shows it."""

    behaviour: str
    start: int
    end: int
    rule: str


def find_marks(text: str, rules: str = OURS) -> list[Mark]:
    """In order, in time proportional to the text. Raises UserError for rules that are unknown.

    Args:
        rules: `srpo`, or the name of a published list.
    """
    if rules == OURS:
        return list(_ours(text))
    if rules not in PUBLISHED:
        raise UserError(f"--rules is {rules!r}: choose one of {', '.join((OURS, *PUBLISHED))}")
    return sorted(_words(text, PUBLISHED[rules]), key=lambda m: (m.start, m.end))


def is_reflective(marks: Iterable[Mark]) -> bool:
    """Whether a response thinks about its own thinking: it hesitates, or both goes back and turns
    elsewhere. A check alone is no sign: textbooks have it. By a published list, any word is one."""
    found = {m.behaviour for m in marks}
    return bool(found & {"hesitation", KEYWORDS}) or {"recheck", "exploration"} <= found


def _ours(text: str) -> Iterable[Mark]:
    for start, end in sentences(text):
        sentence = text[start:end].replace("\u2019", "'")
        for behaviour, rules in BEHAVIOURS.items():
            if rule := rules.which(sentence):
                yield Mark(behaviour, start, end, rule)


def _words(text: str, words: Iterable[re.Pattern[str]]) -> Iterable[Mark]:
    for word in words:
        for found in word.finditer(text):
            yield Mark(KEYWORDS, *found.span(), word.pattern)
