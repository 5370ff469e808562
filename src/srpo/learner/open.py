"""The learner that a recipe asks for, by `learner.ranks`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from srpo.learner.learner import Learner
from srpo.learner.local import LocalLearner
from srpo.recipe.schema import Recipe
from srpo.types import UserError


def open_learner(recipe: Recipe, tokenizer: Any, opened: ExitStack) -> Learner:
    """With the recipe's model; what is to be closed goes on `opened`. Raises UserError."""
    if recipe.learner.optimizer != "adamw":
        raise UserError(
            "learner.optimizer: adamw8bit can be planned with, not trained with yet; leave it out,"
            " or set learner.offload=true"
        )
    if recipe.learner.ranks == 1:
        return LocalLearner.open(recipe, tokenizer)
    from srpo.learner.sharded.learner import ShardedLearner
    from srpo.learner.sharded.processes import ProcessRanks
    from srpo.transfer import free_address

    ranks = ProcessRanks(recipe.learner.ranks, recipe.learner.deadline_s)
    opened.callback(ranks.close)
    return ShardedLearner(recipe, ranks, free_address(), ranks.deadline_s)
