"""What n judged responses to each of some problems say of a model, with both kinds of doubt.

Over **questions**: another draw of problems would give another number; its standard error is that
of the mean of the problems' pass rates, whose responses are not independent (arXiv 2411.00640,
section 2.2). Over **runs**: sampling the same problems anew would, too; its standard error is that
of n responses around each problem's own rate, and says nothing of other problems.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, sqrt
from typing import Any

from srpo.evaluation.passk import mean_interval, pass_at_k, wilson
from srpo.types import Group, Outcome

SUBSETS = 200  # of a problem's responses that a majority is taken of, where all would be more

RIGHT = object()  # how every correct answer votes, however it is written


@dataclass(frozen=True, slots=True)
class Answer:
    """A judged response: `answer` is what was taken out of it, `tokens` its length."""

    outcome: Outcome
    answer: str | None
    tokens: int
    truncated: bool


@dataclass(slots=True)
class Solved:
    """A problem's responses, reduced to what the numbers need of them."""

    asked: int
    judged: int = 0
    correct: int = 0
    unanswered: int = 0
    truncated: int = 0
    tokens: dict[Outcome, int] = field(default_factory=dict)  # summed
    majority: dict[int, float] = field(default_factory=dict)  # of k responses: chance to be right

    @property
    def rate(self) -> float:
        """Share of the judged responses that is correct; 0 where none was judged."""
        return self.correct / self.judged if self.judged else 0.0


def solved(answers: Sequence[Answer], majority: bool = False) -> Solved:
    """A problem's responses as numbers; `majority` for domains whose answers can be alike."""
    found = Solved(len(answers))
    for a in answers:
        found.truncated += a.truncated
        found.tokens[a.outcome] = found.tokens.get(a.outcome, 0) + a.tokens
        if a.outcome is Outcome.ERROR:
            continue
        found.judged += 1
        found.correct += a.outcome is Outcome.CORRECT
        found.unanswered += a.answer is None
    if majority and found.judged == found.asked:
        found.majority = {k: majority_at_k(answers, k) for k in ks(found.asked) if k > 1}
    return found


def of_group(group: Group) -> Solved:
    """The same from a group of rollouts."""
    return solved(
        [
            Answer(
                r.verdict.outcome, r.verdict.answer, len(r.token_ids), r.finish_reason == "length"
            )
            for r in group.rollouts
            if r.verdict is not None
        ]
    )


def ks(n: int) -> list[int]:
    """The k that are shown of n: 1, 2, 4, ... and n itself."""
    powers = [2**i for i in range(n.bit_length()) if 2**i < n]
    return [*powers, n]


def majority_at_k(answers: Sequence[Answer], k: int) -> float:
    """The chance that the most frequent answer of k of the responses is correct (maj@k, arXiv
    2203.11171). All k-subsets count alike, or SUBSETS seeded ones where they are more; of equally
    frequent answers one is drawn. What is correct is one answer, what has none does not vote."""
    votes = [_vote(a) for a in answers]
    if comb(len(votes), k) <= SUBSETS:
        chosen: Iterable[Sequence[Any]] = combinations(votes, k)
    else:
        rng = random.Random(0)
        chosen = (rng.sample(votes, k) for _ in range(SUBSETS))
    wins = [_wins(subset) for subset in chosen]
    return sum(wins) / len(wins)


def _vote(a: Answer) -> Any:
    if a.outcome is Outcome.CORRECT:
        return RIGHT
    return None if a.answer is None else "".join(a.answer.split())


def _wins(votes: Iterable[Any]) -> float:
    counts = Counter(v for v in votes if v is not None)
    if RIGHT not in counts:
        return 0.0
    most = max(counts.values())
    return (counts[RIGHT] == most) / sum(c == most for c in counts.values())


def numbers(problems: Sequence[Solved], samples: int) -> dict[str, Any]:
    """All numbers of a benchmark, shares from 0 to 1 and lengths in tokens. What was not judged
    counts in no rate.

    Args:
        problems: at least one.
        samples: responses that each problem was asked for.
    """
    judged = [p for p in problems if p.judged]
    rates = [p.rate for p in judged]
    mean, low, high = mean_interval(rates, samples) if rates else (0.0, 0.0, 1.0)
    whole = [p for p in judged if p.judged == samples]
    responses = sum(p.asked for p in problems)
    answered = sum(p.judged for p in problems)
    return {
        "problems": len(problems),
        "samples": samples,
        "errors": responses - answered,
        "avg@n": mean,
        "over_questions": _doubt(_error_over_questions(rates), low, high),
        "over_runs": _over_runs(judged, mean),
        "pass@k": {k: _mean([pass_at_k(samples, p.correct, k) for p in whole]) for k in ks(samples)}
        if whole
        else {},
        "maj@k": _means([p.majority for p in whole if p.majority]),
        "no_answer": sum(p.unanswered for p in problems) / max(answered, 1),
        "truncated": sum(p.truncated for p in problems) / max(responses, 1),
        "mean_tokens": sum(sum(p.tokens.values()) for p in problems) / max(responses, 1),
        "mean_tokens_correct": _length(problems, Outcome.CORRECT),
        "mean_tokens_incorrect": _length(problems, Outcome.INCORRECT),
    }


def _doubt(error: float | None, low: float, high: float) -> dict[str, float | None]:
    return {"standard_error": error, "low": low, "high": high}


def _error_over_questions(rates: Sequence[float]) -> float | None:
    n = len(rates)
    if n < 2:
        return None
    mean = sum(rates) / n
    return sqrt(sum((r - mean) ** 2 for r in rates) / (n - 1) / n)


def _over_runs(judged: Sequence[Solved], mean: float) -> dict[str, float | None] | None:
    """None where a problem has a single response: nothing shows how another would differ."""
    if not judged or any(p.judged < 2 for p in judged):
        return None
    of_mean = sum(p.rate * (1 - p.rate) / (p.judged - 1) for p in judged) / len(judged) ** 2
    answers = float(sum(p.judged for p in judged))
    size = min(answers * 1e6, mean * (1 - mean) / of_mean) if of_mean > 0 else answers
    return _doubt(sqrt(of_mean), *wilson(mean, size))


def _means(rows: Sequence[dict[int, float]]) -> dict[int, float]:
    return {k: _mean([row[k] for row in rows]) for k in rows[0]} if rows else {}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _length(problems: Sequence[Solved], outcome: Outcome) -> float | None:
    """Mean tokens of the responses with an outcome; None where there is none."""
    count = sum(p.correct if outcome is Outcome.CORRECT else p.judged - p.correct for p in problems)
    return sum(p.tokens.get(outcome, 0) for p in problems) / count if count else None
