"""Nano's tasks as problems for training and evaluation."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from srpo.nano.code_tasks import FAMILIES as CODE_FAMILIES
from srpo.nano.code_tasks import CodeTask
from srpo.nano.corpus import draw_code, draw_math
from srpo.nano.math_tasks import FAMILIES, LEVELS, MathTask
from srpo.types import Problem, UserError

MATH_FAMILIES = [family.__name__ for family in FAMILIES]
PATIENCE = 200  # draws in a row that bring nothing new before a split counts as used up


def nano_problems(
    domain: str,
    split: str,
    limit: int,
    seed: int,
    families: Sequence[str] | None = None,
    levels: Sequence[int] | None = None,
) -> Iterator[Problem]:
    """`limit` distinct problems of a split; the first ones do not depend on `limit`.

    families, levels    only such problems; None means all families, and the levels that the base
                        model has seen. Raises UserError for unknown ones
    """
    rng = random.Random(f"{domain}-{split}-{seed}")
    if domain == "code" and levels and max(levels) > max(LEVELS):
        raise UserError(f"nano:code has levels 1 to {max(LEVELS)}, not {max(levels)}")
    known = MATH_FAMILIES if domain == "math" else CODE_FAMILIES
    for family in families or ():
        if family not in known:
            raise UserError(f"nano:{domain} has no family {family!r}: choose of {', '.join(known)}")
    chosen = "-".join(map(str, (*(families or ()), *(levels or ()))))
    name = "-".join(filter(None, ("nano", domain, split, chosen)))
    seen: set[str] = set()
    stale = 0
    while len(seen) < limit:
        math = domain == "math"
        task = draw_math(rng, split, levels or LEVELS) if math else draw_code(rng, split)
        if (families and task.family not in families) or (levels and task.level not in levels):
            continue
        if task.question in seen:
            stale += 1
            if stale > PATIENCE:
                raise UserError(
                    f"nano:{domain} has only about {len(seen)} {split} problems; lower the limit"
                )
            continue
        seen.add(task.question)
        stale = 0
        yield _problem(task, f"{name}-{len(seen)}")


def _problem(task: MathTask | CodeTask, id_: str) -> Problem:
    meta = {"family": task.family, "level": task.level}
    if isinstance(task, MathTask):
        return Problem(id_, "math", task.question, answer=str(task.answer), meta=meta)
    tests = {"type": "function", "entry_point": "f", "cases": task.cases()}
    return Problem(id_, "code", task.question, tests=tests, meta=meta)
