"""A domain of one's own: clock arithmetic, made by a generator and judged exactly.

In this folder, one line of a recipe's `data.train` adds it:

    - {path: "own_domain:rows", domain: "own_domain:CLOCK", limit: 256}

docs/extending.md explains the parts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from srpo import Domain, Outcome, Problem, UserError, Verdict
from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.verifiers.domain import Verifier

ANSWER = re.compile(r"\\boxed\{(\d+)\}\s*$")


def rows(split: str, seed: int) -> Iterator[dict[str, Any]]:
    """Which hour a clock shows some hours later, without end; held-out hours are never trained."""
    rng = random.Random(f"{split} {seed}")
    seen: set[str] = set()
    while len(seen) < 2000:
        hour, later, on_face = rng.randrange(24), rng.randint(1, 500), rng.choice([12, 24])
        question = f"({hour}+{later})%{on_face}"
        if question not in seen and (later % 5 == 0) == (split == "heldout"):
            seen.add(question)
            yield {"id": question, "prompt": question, "answer": (hour + later) % on_face}


def parse(value: Any, where: str) -> str:
    """The gold answer of a row: an hour."""
    if not re.fullmatch(r"\d+", str(value)):
        raise UserError(f"{where} is {value!r}: give an hour, a whole number from 0 to 23")
    return str(int(value))


def verifier(config: VerifierConfig) -> Verifier:
    """It needs no processes, so there is nothing to open."""
    return judge


def judge(problem: Problem, text: str) -> Verdict:
    found = ANSWER.search(text)
    if not found:
        return Verdict(Outcome.INCORRECT, None, "no hour in a \\boxed{} at the end")
    right = int(found[1]) == int(str(problem.answer))
    return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, found[1])


def well_formed(text: str, reward: RewardConfig) -> bool:
    return bool(ANSWER.search(text))


CLOCK = Domain(
    name="clock",
    gold="answer",
    parse=parse,
    verifier=verifier,
    format=well_formed,
    template="Compute {prompt}.\n",
    color="green",
    marker="triangle",
)
