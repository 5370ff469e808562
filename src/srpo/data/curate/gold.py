"""What a mathematical problem's gold answer is worth: it is decidable, and its solution agrees."""

from __future__ import annotations

from srpo.data.candidate import Candidate
from srpo.errors import MathWorkerError
from srpo.types import Outcome, UserError, short
from srpo.verifiers.math.extract import boxed_spans, extract_answer
from srpo.verifiers.math.verifier import MathVerifier

Found = tuple[str, str]  # reason and evidence


class NotChecked(Exception):
    """Our machinery failed: nothing is known of the row."""


def check_gold(verifier: MathVerifier, candidate: Candidate) -> Found | None:
    """Why the row has to go, with what shows it; None where it may stay. Raises NotChecked."""
    try:
        return _itself(verifier, candidate) or _solution(verifier, candidate)
    except UserError as error:
        return "undecidable_gold", str(error)
    except MathWorkerError as error:
        raise NotChecked(str(error)) from error


def _itself(verifier: MathVerifier, candidate: Candidate) -> Found | None:
    problem = candidate.problem()
    for gold in candidate.answer:
        verdict = verifier(problem, gold if "\\boxed" in gold else f"\\boxed{{{gold}}}")
        if verdict.outcome is not Outcome.CORRECT:
            return "undecidable_gold", f"{short(gold)} given as the answer: {verdict.detail}"
    return None


def _solution(verifier: MathVerifier, candidate: Candidate) -> Found | None:
    """Only a box commits a solution to its answer: prose may end with a remark."""
    solution = candidate.solution or ""
    answer = extract_answer(solution) if boxed_spans(solution)[0] else None
    if answer is None or answer in candidate.answer:
        return None
    verdict = verifier(candidate.problem(), solution)
    if verdict.outcome is Outcome.INCORRECT:
        return "solution_disagrees", f"the worked solution: {verdict.detail}"
    return None
