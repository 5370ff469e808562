"""Mathematics: an answer in a box, compared by value (docs/math-policy.md)."""

from __future__ import annotations

import math
from typing import Any

from srpo.recipe.schema import VerifierConfig
from srpo.types import UserError, short
from srpo.verifiers.domain import Domain, Verifier
from srpo.verifiers.format import FORMATS
from srpo.verifiers.json_values import text_fault


def parse_answer(value: Any, where: str) -> str | tuple[str, ...]:
    """A gold answer, or several of which each is accepted; numbers become their text."""
    answers = []
    for one in value if isinstance(value, list | tuple) and value else [value]:
        text = answer_text(one)
        if text is None:
            raise UserError(
                f"{where} is {short(value)}: give a text, a finite number or a list of them"
            )
        if why := text_fault(text):
            raise UserError(f"{where} {why}")
        answers.append(text.strip())
    return answers[0] if len(answers) == 1 else tuple(answers)


def answer_text(value: Any) -> str | None:
    """One gold answer as text; None for what is none: an empty text, no number, infinity."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if isinstance(value, float) and not math.isfinite(value) else str(value)
    return value if isinstance(value, str) and value.strip() else None


def _verifier(config: VerifierConfig) -> Verifier:
    from srpo.verifiers.math.verifier import MathVerifier

    return MathVerifier(config.side_by_side, config.time_limit_s, prose=config.prose)


MATH = Domain(
    name="math",
    gold="answer",
    parse=parse_answer,
    verifier=_verifier,
    format=lambda text, reward: FORMATS[reward.math_format](text),
    color="blue",
    marker="circle",
)
