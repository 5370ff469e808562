"""Nano's tasks as problems for training and evaluation."""

from __future__ import annotations

import random
from collections.abc import Iterator

from srpo.nano.code_tasks import CodeTask
from srpo.nano.corpus import draw_code, draw_math
from srpo.nano.math_tasks import MathTask
from srpo.types import Domain, Problem, UserError

PATIENCE = 200  # draws in a row that bring nothing new before a split counts as used up


def nano_problems(domain: Domain, split: str, limit: int, seed: int) -> Iterator[Problem]:
    """`limit` distinct problems of a split; the first ones do not depend on `limit`."""
    rng = random.Random(f"{domain}-{split}-{seed}")
    draw = draw_math if domain is Domain.MATH else draw_code
    seen: set[str] = set()
    stale = 0
    while len(seen) < limit:
        task = draw(rng, split)
        if task.question in seen:
            stale += 1
            if stale > PATIENCE:
                raise UserError(
                    f"nano:{domain} has only about {len(seen)} {split} problems; lower the limit"
                )
            continue
        seen.add(task.question)
        stale = 0
        yield _problem(task, f"nano-{domain}-{split}-{len(seen)}")


def _problem(task: MathTask | CodeTask, id_: str) -> Problem:
    meta = {"family": task.family, "level": task.level}
    if isinstance(task, MathTask):
        return Problem(id_, Domain.MATH, task.question, answer=str(task.answer), meta=meta)
    tests = {"type": "function", "entry_point": "f", "cases": task.cases()}
    return Problem(id_, Domain.CODE, task.question, tests=tests, meta=meta)
