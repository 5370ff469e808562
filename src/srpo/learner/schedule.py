"""How the learning rate goes up at first, and down afterwards."""

from __future__ import annotations

import math

from srpo.recipe.schema import LearnerConfig


def schedule(config: LearnerConfig, step: int, steps: int) -> float:
    """The share of learner.lr in a step, from 1, of a run of `steps`; the first after the warm-up
    has all of it."""
    warm = config.warmup_steps
    if step <= warm:
        return step / warm
    done = min(1.0, (step - warm - 1) / max(1, steps - warm))
    if config.schedule == "linear":
        return 1.0 - done
    if config.schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * done))
    return 1.0
