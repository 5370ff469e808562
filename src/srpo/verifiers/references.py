"""Reference programs, run once before a training: what they fail, no program may pass."""

from __future__ import annotations

from collections.abc import Iterable

from srpo.types import Outcome, Problem, UserError, Verdict
from srpo.verifiers.pool import RunsPrograms, VerifierPool

SHOWN = 10


def failing_references(
    pool: VerifierPool, problems: Iterable[Problem]
) -> list[tuple[Problem, Verdict]]:
    """The problems whose `meta["reference"]`, a program, does not pass their tests."""
    runs = {name for name, v in pool.verifiers.items() if isinstance(v, RunsPrograms)}
    asked = [(p, p.meta["reference"]) for p in problems if p.domain in runs and has(p)]
    running = [(problem, pool.submit_program(problem, code)) for problem, code in asked]
    verdicts = [(problem, future.result()) for problem, future in running]
    return [(p, verdict) for p, verdict in verdicts if verdict.outcome is not Outcome.CORRECT]


def has(problem: Problem) -> bool:
    """Whether a problem has a reference."""
    return isinstance(problem.meta.get("reference"), str)


def check_references(pool: VerifierPool, problems: list[Problem]) -> None:
    """Raises UserError that lists the problems of which no program can be known to pass."""
    failing = failing_references(pool, problems)
    if not failing:
        return
    shown = [f"{problem.id} ({verdict.detail})" for problem, verdict in failing[:SHOWN]]
    more = f" and {len(failing) - SHOWN} more" if len(failing) > SHOWN else ""
    raise UserError(
        f"data: {len(failing)} of {sum(map(has, problems))} code problems have tests that their own"
        f" reference does not pass: {'; '.join(shown)}{more}. Mend or remove these rows; libraries"
        " that they import go into verifier.python, more time into verifier.time_limit_s"
    )
