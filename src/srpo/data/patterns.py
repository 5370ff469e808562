"""The answer inside a longer text, by the recipe's `answer_pattern`."""

from __future__ import annotations

import re

from srpo.types import UserError


def find_answer(pattern: str, text: str, where: str) -> str:
    """What the pattern's first group finds. Raises UserError."""
    try:
        found = re.search(pattern, text)
    except re.error as error:
        raise UserError(
            f"{where}: answer_pattern {pattern!r} is no regular expression: {error}"
        ) from error
    answer = found.group(1) if found and found.groups() else None
    if not answer or not answer.strip():
        raise UserError(f"{where}: answer_pattern {pattern!r} finds no group in {text[-60:]!r}")
    return answer
