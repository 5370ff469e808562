"""Problems of evaluation sets among the rows: a row goes that has one in it, in whatever spelling.

What is counted is which of an evaluation problem's n-grams a row has, see `tokens_of`. N-grams
that many problems share ("relatively prime positive integers m and n find m + n") count nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from srpo.data.curate.tokens import is_number, tokens_of

N = 8  # tokens
COVERED = 0.7  # of the n-grams: the problem itself, or a new wording of it
RESEMBLES = 0.4  # not the problem, and worth a look
COMMON = 8  # rows with an n-gram: more, and it is a phrase


@dataclass(frozen=True, slots=True)
class Match:
    """A row and the evaluation problem that it has most of."""

    eval_id: str
    share: float  # of the problem's n-grams, phrases left out
    words: str  # a part that they have in common
    same_numbers: bool

    @property
    def is_copy(self) -> bool:
        return self.share >= COVERED and self.same_numbers


class Contamination:
    """The evaluation problems. First `count` every row, then ask `match`."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        """`problems`: ids and questions."""
        self._ids: list[str] = []
        self._numbers: list[Counter[str]] = []
        self._grams: list[dict[int, str]] = []
        self._found_in: defaultdict[int, list[int]] = defaultdict(list)
        self._rows: Counter[int] = Counter()
        for id_, prompt in problems:
            tokens = tokens_of(prompt)
            self._ids.append(id_)
            self._numbers.append(Counter(filter(is_number, tokens)))
            self._grams.append(_grams(tokens))
            for gram in self._grams[-1]:
                self._found_in[gram].append(len(self._ids) - 1)

    def count(self, prompt: str) -> None:
        """Take note of the n-grams of a row that evaluation problems have, too."""
        self._rows.update(gram for gram in _grams(tokens_of(prompt)) if gram in self._found_in)

    def match(self, prompt: str) -> Match | None:
        """The problem that the row covers most of; None below RESEMBLES."""
        tokens = tokens_of(prompt)
        own = _grams(tokens)
        touched = {i for gram in own.keys() & self._found_in.keys() for i in self._found_in[gram]}
        best: tuple[float, int] = (0.0, -1)
        for i in sorted(touched):
            best = max(best, (self._share(i, own), i), key=lambda found: (found[0], -found[1]))
        share, i = best
        if share < RESEMBLES:
            return None
        words = next(text for gram, text in self._grams[i].items() if gram in own and self._tells(gram))
        same = not self._numbers[i] - Counter(filter(is_number, tokens))
        return Match(self._ids[i], share, words, same)

    def _share(self, i: int, own: dict[int, str]) -> float:
        telling = [gram for gram in self._grams[i] if self._tells(gram)]
        return sum(gram in own for gram in telling) / len(telling) if telling else 0.0

    def _tells(self, gram: int) -> bool:
        """Whether an n-gram is no phrase of many problems."""
        return self._rows[gram] <= COMMON and len(self._found_in[gram]) <= 2


def _grams(tokens: list[str]) -> dict[int, str]:
    """The n-grams by their digest, in order; a short text is one by itself, with its ends."""
    width = min(N, len(tokens))
    if len(tokens) < N:
        tokens, width = ["^", *tokens, "$"], len(tokens) + 2
    texts = (" ".join(tokens[i : i + width]) for i in range(len(tokens) - width + 1))
    return {_digest(text): text for text in texts}


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest())
