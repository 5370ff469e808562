"""Parts that the rules share."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Words with which a thought begins before it says anything.
_SMALL = (
    "so|but|and|or|oh|hmm+|ah|okay|ok|yes|yeah|no|well|wait|actually|then|thus|hence|now|still"
    "|also|alternatively|hold on|a second|a minute|for example|because|since"
)
BEGIN = rf"^[\W\d_]*(?:(?:{_SMALL})\b[\W_]*)*"
# What interrupts: "But wait, ".
AHEAD = r"^\W*(?:(?:but|so|or|oh|no|hmm+|and|wait|ok|okay)\b\W*)*"
# Somebody who turns to his own work.
SELF = (
    r"\b(?:let me|let's|let us|I'll|I will|I should|I need to|I want to|I have to|we should"
    r"|we need to|we can|we could|I can)\s+"
    r"(?:just |also |quickly |now |first |go back and |take a moment to )*"
)
RIGHT = (
    r"(?:right|correct|wrong|incorrect|accurate|inaccurate|consistent|inconsistent|a mistake"
    r"|an error|true|valid)"
)


class Rules:
    """Patterns by name, of which any one shows a behaviour in a sentence."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.patterns = {name: re.compile(p, re.IGNORECASE) for name, p in patterns.items()}

    def which(self, sentence: str) -> str | None:
        """The name of the first pattern that is in it; None: it shows nothing."""
        for name, pattern in self.patterns.items():
            if pattern.search(sentence):
                return name
        return None
