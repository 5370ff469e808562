"""Problems of evaluation sets among the rows: a row goes that has one in it, in whatever spelling.

What is counted is which of an evaluation problem's n-grams a row has, see `tokens_of`. N-grams
that many problems share ("relatively prime positive integers m and n find m + n") count nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from srpo.data.curate.duplicates import DECISIVE
from srpo.data.curate.tokens import is_number, tokens_of

N = 8  # tokens
COVERED = 0.7  # of the n-grams: the problem itself, or a new wording of it
COVERED_NUMBERS = 0.5  # the same, where it has so many different numbers:
NUMBERS = 3
LONG = 16  # tokens
RESEMBLES = 0.4  # not the problem, and worth a look
COMMON = 8  # rows with an n-gram: more, and it is a phrase


@dataclass(frozen=True, slots=True)
class Match:
    """A row and the evaluation problem that it has most of."""

    eval_id: str
    share: float  # of the problem's n-grams, phrases left out
    words: str  # a part that they have in common
    is_copy: bool  # else it only resembles the problem


@dataclass(frozen=True, slots=True)
class _Problem:
    id: str
    grams: dict[int, str]
    says: Counter[str]  # numbers and words without which it is another problem

    @property
    def needed(self) -> float:
        return COVERED_NUMBERS if sum(map(is_number, self.says)) >= NUMBERS else COVERED


class Contamination:
    """The evaluation problems, as pairs of id and question. First `count` every row, then ask
    `match`."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self._problems: list[_Problem] = []
        self._texts: dict[int, str] = {}
        self._found_in: defaultdict[int, list[int]] = defaultdict(list)
        self._rows: Counter[int] = Counter()
        for id_, prompt in problems:
            tokens = tokens_of(prompt)
            problem = _Problem(id_, _grams(tokens), Counter(filter(_is_telling, tokens)))
            for gram in problem.grams:
                self._found_in[gram].append(len(self._problems))
            self._problems.append(problem)
            self._texts.setdefault(_whole(prompt, tokens), id_)

    def count(self, prompt: str) -> None:
        """Take note of the n-grams of a row that evaluation problems have, too."""
        self._rows.update(gram for gram in _grams(tokens_of(prompt)) if gram in self._found_in)

    def match(self, prompt: str) -> Match | None:
        """The problem that the row covers most of; None below RESEMBLES."""
        tokens = tokens_of(prompt)
        if same := self._texts.get(_whole(prompt, tokens)):
            return Match(same, 1.0, " ".join(tokens[:N]), True)
        own = [gram for gram in _grams(tokens) if self._tells(gram)]
        covered = Counter(i for gram in own for i in self._found_in[gram])
        shares = ((count / self._telling(i), -i) for i, count in covered.items())
        share, place = max(shares, default=(0.0, 0))
        if share < RESEMBLES:
            return None
        problem = self._problems[-place]
        words = next(problem.grams[gram] for gram in own if gram in problem.grams)
        says_it = not problem.says - Counter(filter(_is_telling, tokens))
        return Match(problem.id, share, words, share >= problem.needed and says_it)

    def _telling(self, i: int) -> int:
        return sum(map(self._tells, self._problems[i].grams))

    def _tells(self, gram: int) -> bool:
        """Whether an n-gram is of evaluation problems, and no phrase of many."""
        return 0 < len(self._found_in.get(gram, ())) <= 2 and self._rows[gram] <= COMMON


def _is_telling(token: str) -> bool:
    return is_number(token) or token in DECISIVE


def _whole(prompt: str, tokens: list[str]) -> int:
    """Of the text; of a short one, whose figure may be all of it, with every character."""
    return _digest(" ".join(prompt.split() if len(tokens) < LONG else tokens))


def _grams(tokens: list[str]) -> dict[int, str]:
    """The n-grams by their digest, in order; a short text is one, and no part of another."""
    if len(tokens) < N:
        tokens = ["^", *tokens, *"$" * (N - 1 - len(tokens))]
    texts = (" ".join(tokens[i : i + N]) for i in range(len(tokens) - N + 1))
    return {_digest(text): text for text in texts}


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest())
