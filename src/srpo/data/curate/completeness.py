"""Rules for what is not all there: no question, no ground truth."""

from __future__ import annotations

from srpo.data.candidate import Candidate


def no_question(candidate: Candidate) -> str | None:
    """Rows without a question."""
    return None if any(c.isalnum() for c in candidate.prompt) else "the question is empty"


def no_ground_truth(candidate: Candidate) -> str | None:
    """Rows with nothing that an answer could be checked against."""
    if candidate.domain == "code":
        return None if candidate.tests else "there are no tests"
    empty = not candidate.answer or not all(answer.strip() for answer in candidate.answer)
    return "the answer is empty" if empty else None
