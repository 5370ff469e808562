"""What a person should hear while there is time to change something."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from srpo.algorithm.curriculum import Stage
from srpo.diagnosis import nothing_learnt
from srpo.metrics import Row
from srpo.recipe.schema import Recipe
from srpo.types import Problem

MOSTLY_CUT = 0.9  # of a step's responses: then the model hardly ever ends one
PATIENCE = 5  # steps without an informative group before it is said


def of_data(
    recipe: Recipe,
    problems: Sequence[Problem],
    held_out: Sequence[Problem],
    stages: Sequence[Stage],
) -> Iterator[str]:
    """What is odd about the problems."""
    known = {p.prompt.strip() for p in problems}
    if shared := [p for p in held_out if p.prompt.strip() in known]:
        yield (
            f"data.eval: {len(shared)} of {len(held_out)} prompts are in data.train, too, for"
            f" example that of {shared[0].id!r}: accuracy on them is no held-out accuracy; take"
            " them out of one"
        )
    step = recipe.sampler.prompts_per_step
    for stage in stages:
        pool = sum(p.domain in stage.domains for p in problems)
        if 0 < pool < step:
            yield (
                f"sampler.prompts_per_step: {step}, but stage {stage.name} has {pool} prompts:"
                " each step is a whole epoch; give more data, or smaller steps"
            )


def of_base(line: dict[str, Any]) -> Iterator[str]:
    """What the first evaluation says of the problems; `line` is one of evals.jsonl."""
    for domain, results in line.items():
        rate = results.get("pass@1") if isinstance(results, dict) else None
        if rate == 0.0:
            yield (
                f"{domain}: the model solves no held-out problem before training. Where it cannot"
                " solve those of data.train either, nothing can be learnt: look at what it writes"
                " (srpo rollouts), the format asked for, and the problems' difficulty"
            )
        elif rate == 1.0:
            yield f"{domain}: the model solves every held-out problem before training; take harder"


class Watch:
    """Looks at each step's row, and says once what is wrong."""

    def __init__(self, recipe: Recipe, ends: str):
        """`ends` is what ends a response, in words."""
        self.recipe, self.ends = recipe, ends
        self.recent: deque[Row] = deque(maxlen=PATIENCE)
        self.said = False

    def step(self, row: Row) -> Iterator[str]:
        """What there is to say after a step."""
        limit = self.recipe.rollout.max_new_tokens
        if row["step"] == 1 and row.get("truncated", 0.0) > MOSTLY_CUT:
            yield (
                f"{row['truncated']:.0%} of the first step's responses were cut at"
                f" rollout.max_new_tokens {limit}. A response ends with {self.ends}: if this model"
                " ends its turns otherwise, set rollout.stop_token_ids or rollout.stop; else give"
                " more tokens"
            )
        self.recent.append(row)
        if len(self.recent) == PATIENCE and not self.said and (why := nothing_learnt(self.recent)):
            self.said = True
            yield f"NOTHING IS LEARNT. {why}"
