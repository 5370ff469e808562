"""Copies among many rows: exact, but for spelling, and nearly so; and copies that disagree.

Two passes. The first keeps of each row a digest of its text, one of its numbers and a MinHash
signature (rensa), about 270 bytes. What they make suspicious is read again, and only what the
texts themselves confirm is a copy: of the row that stays, never of another copy, so that no
chain of small changes joins two questions.
"""

# ruff: noqa: SIM905 (a table of words)

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from srpo.data.curate.tokens import drawing_of, is_hard, is_number, tokens_of
from srpo.types import UserError

SHINGLE = 3  # tokens
BANDS, BAND_ROWS = 15, 4  # finds 95% of the pairs with a Jaccard index of 0.65
PERMUTATIONS = BANDS * BAND_ROWS
NEAR = 0.65  # Jaccard index of the shingles
NAMED = 3  # variables: "the point" against "the point P"
EARLIER = 16  # rows of one bucket that a row is compared with
BATCH = 2048

# Words that turn a question into another one, though everything else is the same.
DECISIVE = frozenset(
    """
    no not non never without neither nor except even odd max min maximum minimum maximal minimal
    largest smallest greatest least most fewest larger smaller greater less more fewer longest
    shortest longer shorter highest lowest first last inside outside interior exterior inscribed
    circumscribed increasing decreasing ascending descending sum product difference quotient ratio
    area volume perimeter length width height radius diameter circumference angle side slope sine
    cosine tangent sin cos tan cot sec csc arcsin arccos arctan log ln lg exp gcd lcm positive
    negative nonnegative real complex rational irrational prime composite before
    after left right above below up down clockwise counterclockwise distinct identical different
    equal same ordered unordered strictly all some any every north south east west union
    intersection numerator denominator row column black white red blue green always sometimes
    exactly only together apart adjacent separate injective surjective bijective
    不 无 非 最 大 小 奇 偶 和 积 差 内 外 正 负 上 下 左 右
    """.split()
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is read again of a row. `answer` is the gold answers, or a digest of the tests."""

    id: str
    domain: str
    prompt: str
    answer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the other rows show of one. `reason` is empty where it is no reason to drop it."""

    reason: str
    evidence: str


SameAnswer = Callable[[Known, Known], bool]


class Duplicates:
    """The first pass: `add` every row in order, then `pairs`."""

    def __init__(self) -> None:
        self._minhash = _rensa().RMinHash
        self._texts, self._numbers = array("Q"), array("Q")
        self._signatures: list[np.ndarray] = []
        self._batch: list[list[str]] = []

    def add(self, prompt: str) -> None:
        """The next row's question."""
        tokens = tokens_of(prompt)
        self._texts.append(_digest([*tokens, drawing_of(prompt)]))
        self._numbers.append(_digest(sorted(filter(is_number, tokens))))
        self._batch.append(sorted(_shingles(tokens)))
        if len(self._batch) == BATCH:
            self._sign()

    def _sign(self) -> None:
        if self._batch:
            found = self._minhash.digests_from_token_sets(
                self._batch, num_perm=PERMUTATIONS, seed=0
            )
            self._signatures.append(np.asarray(found, dtype=np.uint32))
            self._batch = []

    def suspicious(self) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Groups of rows with the same text but for spelling, and pairs of others that may be
        near; rows by their place, the earlier one first."""
        self._sign()
        texts = np.frombuffer(self._texts, dtype=np.uint64)
        if not len(texts):
            return [], []
        groups = list(_buckets(texts))
        first = np.ones(len(texts), dtype=bool)
        for group in groups:
            first[group[1:]] = False
        return groups, sorted(self._near(np.flatnonzero(first)))

    def _near(self, rows: np.ndarray) -> set[tuple[int, int]]:
        numbers = np.frombuffer(self._numbers, dtype=np.uint64)[rows]
        signatures = np.concatenate(self._signatures)[rows]
        pairs: set[tuple[int, int]] = set()
        for band in range(BANDS):
            part = signatures[:, band * BAND_ROWS : (band + 1) * BAND_ROWS]
            for bucket in _buckets(_mix(part, numbers)):
                members = rows[bucket].tolist()
                for place, row in enumerate(members):
                    pairs.update(
                        (earlier, row) for earlier in members[max(0, place - EARLIER) : place]
                    )
        return pairs


def _buckets(keys: np.ndarray) -> Iterator[list[int]]:
    """The places of equal keys, two or more together, in order."""
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    for bucket in np.split(order, edges):
        if len(bucket) > 1:
            yield bucket.tolist()


def _mix(part: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """One key of a band's values and the numbers' digest: an FNV hash, 64 bits."""
    keys = numbers.copy()
    for column in part.T:
        keys = (keys ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
        keys ^= keys >> np.uint64(29)
    return keys


def _digest(tokens: Iterable[str]) -> int:
    text = "\x1f".join(tokens).encode(errors="replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _shingles(tokens: list[str]) -> set[str]:
    width = min(SHINGLE, len(tokens))
    return {" ".join(tokens[i : i + width]) for i in range(len(tokens) - width + 1)} or {""}


# The second pass


def resolve(
    groups: list[list[int]],
    pairs: list[tuple[int, int]],
    known: dict[int, Known],
    same_answer: SameAnswer,
) -> dict[int, Finding]:
    """What is confirmed of what `Duplicates.suspicious` found.

    Args:
        groups, pairs: as it gave them.
        known: every row that is named there, by its place.
        same_answer: whether two rows' gold answers are equal.
    """
    found: dict[int, Finding] = {}
    for group in groups:
        for text in _by_text(group, known):
            found |= _same_text(text, known, same_answer)
    stays_for: dict[int, int] = {}
    for earlier, row in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        other = stays_for.get(earlier, earlier)
        if row in stays_for or other in stays_for or _gone(row, found) or _gone(other, found):
            continue
        likeness = near(known[other].prompt, known[row].prompt)
        if likeness is None:
            continue
        said = f"{likeness:.0%} like {known[other].id}"
        if same_answer(known[other], known[row]):
            found[row] = Finding("duplicate_near", said)
            stays_for[row] = other
        elif row not in found:
            found[row] = Finding("", f"{said}, which has another answer")
    return found


def _gone(row: int, found: dict[int, Finding]) -> bool:
    return row in found and bool(found[row].reason)


def _by_text(group: list[int], known: dict[int, Known]) -> Iterable[list[int]]:
    """Digests may collide, and math and code are not compared."""
    texts: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in group:
        prompt = known[row].prompt
        texts[known[row].domain, drawing_of(prompt), *tokens_of(prompt)].append(row)
    return [rows for rows in texts.values() if len(rows) > 1]


def _same_text(
    rows: list[int], known: dict[int, Known], same_answer: SameAnswer
) -> dict[int, Finding]:
    first, *others = rows
    stays = known[first]
    if stays.domain == "math":
        other = next((row for row in others if not same_answer(stays, known[row])), None)
        if other is not None:
            return {
                row: _conflict(known[row], known[other if row == first else first], rows, known)
                for row in rows
            }
    found = {}
    for row in others:
        exact = known[row].prompt == stays.prompt
        reason = "duplicate_exact" if exact else "duplicate_normalised"
        found[row] = Finding(reason, f"the same text as {stays.id}")
    return found


def _conflict(own: Known, other: Known, rows: list[int], known: dict[int, Known]) -> Finding:
    more = f" and {len(rows) - 2} more" if len(rows) > 2 else ""
    answers = f"answers {' | '.join(own.answer)[:80]} here, {' | '.join(other.answer)[:80]} there"
    return Finding("conflicting_answers", f"the same text as {other.id}{more}: {answers}")


def near(one: str, other: str) -> float | None:
    """The Jaccard index of two questions' shingles, where they ask the same; else None.

    They do where the index is NEAR or more, no figure is another one, numbers and formulas are the
    same in their order (but that one may name a few variables more), and no word that differs is
    one that decides what is asked, see DECISIVE.
    """
    if len({drawing_of(one), drawing_of(other)} - {""}) > 1:
        return None
    a, b = tokens_of(one), tokens_of(other)
    first, second = _shingles(a), _shingles(b)
    likeness = len(first & second) / len(first | second)
    if likeness < NEAR:
        return None
    if not _same_formulas(list(filter(is_hard, a)), list(filter(is_hard, b))):
        return None
    decisive = [[t for t in tokens if t in DECISIVE] for tokens in (a, b)]
    return likeness if decisive[0] == decisive[1] else None


def _same_formulas(a: list[str], b: list[str]) -> bool:
    if a == b:
        return True
    short, long = sorted((a, b), key=len)
    if not 0 < len(long) - len(short) <= NAMED:
        return False
    more = (token for token in long)
    extra = [token for wanted in short for token in _until(more, wanted)]
    extra += more
    return len(extra) == len(long) - len(short) and all(len(t) == 1 and t.isalpha() for t in extra)


def _until(tokens: Iterator[str], wanted: str) -> Iterator[str]:
    """Those before the wanted one, which is taken, too."""
    for token in tokens:
        if token == wanted:
            return
        yield token


def _rensa() -> Any:
    try:
        return import_module("rensa")
    except ImportError as error:
        raise UserError(
            "srpo curate finds duplicates with rensa: pip install 'srpo[data]'"
        ) from error
