"""The nouns that the parts pass to each other: problems, rollouts, verdicts, rewards, groups.

Legend for array shapes, used in the whole package:
    B rows in a (micro-)batch, T tokens in a row, G rollouts in a group, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from srpo.errors import SRPOError, TrainingError, UserError  # noqa: F401

if TYPE_CHECKING:  # the command line starts without numpy
    import numpy as np

# Why a stage or a run ended, in its summary; reports look for it.
POOL_EXHAUSTED = "pool exhausted: every prompt is solved"


def short(value: Any, most: int = 60) -> str:
    """A value as errors and details show it, cut to `most` characters."""
    try:
        text = repr(value)
    except Exception:  # a number of too many digits, a list nested too deep
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= most else text[: most - 3] + "..."


class Outcome(StrEnum):
    """What a verifier found. ERROR means that *our* machinery failed: it is never a 0."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    ERROR = "error"


class FinishReason(StrEnum):
    """Why a response ended."""

    STOP = "stop"  # the model ended its answer
    LENGTH = "length"  # cut at the token limit: the ledger calls it truncated
    ABORT = "abort"  # the engine gave up on it, twice: its verdict is ERROR


@dataclass(frozen=True, slots=True)
class Problem:
    """One prompt with what is needed to check an answer to it.

    `domain` is the name of a `srpo.verifiers.domain.Domain`. Math problems carry `answer` (one
    string, or several that are all accepted); code problems carry `tests`, a mapping whose "type"
    says how they are run (see `srpo.verifiers.code.verifier`).
    """

    id: str
    domain: str
    prompt: str
    answer: str | tuple[str, ...] | None = None
    tests: dict[str, Any] | None = None
    meta: dict[str, Any] = field(default_factory=dict)  # family, difficulty, source


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of one response. `detail` tells a person why."""

    outcome: Outcome
    answer: str | None = None  # what was extracted from the response, if anything
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reward:
    """The terms before weighting, and their weighted sum.

    Only `total` shapes the gradient; History Resampling, curriculum and evaluation look at
    the verdict alone.
    """

    accuracy: float
    format: float
    language: float
    total: float
    overlong: float = 0.0
    own: dict[str, float] = field(default_factory=dict)  # the recipe's reward.terms, by name

    def row(self) -> dict[str, float]:
        """As files have it, the recipe's own terms beside ours."""
        ours = {"accuracy": self.accuracy, "format": self.format, "language": self.language}
        ours |= {"overlong": self.overlong} if self.overlong else {}
        return ours | self.own | {"total": self.total}


@dataclass(slots=True, eq=False)
class Rollout:
    """One sampled response: T tokens, and the engine's own log-probability of each.

    Arrays, since a step may hold a hundred million tokens: 8 bytes each.
    """

    token_ids: np.ndarray  # (T,) int32; the end-of-sequence token included when sampled
    logprobs: np.ndarray  # (T,) float32, natural log, after temperature and top-p
    text: str
    finish_reason: FinishReason
    policy_version: int
    verdict: Verdict | None = None
    reward: Reward | None = None


@dataclass(slots=True, eq=False)
class Group:
    """The G rollouts of one prompt, sampled from one policy."""

    problem: Problem
    prompt_ids: list[int]
    rollouts: list[Rollout]

    def outcomes(self) -> list[Outcome]:
        """The verdicts' outcomes, in rollout order. Call after verification."""
        return [r.verdict.outcome for r in self.rollouts if r.verdict is not None]

    def valid(self) -> list[Rollout]:
        """The rollouts that carry a verdict other than ERROR: the ones to learn from."""
        return [
            r
            for r in self.rollouts
            if r.verdict is not None and r.verdict.outcome is not Outcome.ERROR
        ]

    def count(self, outcome: Outcome) -> int:
        """How many of the rollouts have this outcome."""
        return sum(o is outcome for o in self.outcomes())

    @property
    def tokens(self) -> int:
        """Generated tokens, whatever became of them."""
        return sum(len(r.token_ids) for r in self.rollouts)

    def pass_rate(self) -> float | None:
        """Share of valid rollouts that are correct; None when every one errored."""
        n = len(self.valid())
        return self.count(Outcome.CORRECT) / n if n else None

    def is_mixed(self) -> bool:
        """True when the group has both correct and incorrect rollouts, i.e. informs."""
        return self.count(Outcome.CORRECT) > 0 and self.count(Outcome.INCORRECT) > 0
