"""Losses, one a file: kind `token-mean` is `TokenMeanLoss` in token_mean.py."""

from __future__ import annotations

from srpo.algorithm.losses.base import Loss
from srpo.algorithm.rules import find_rule
from srpo.recipe.schema import LossConfig


def open_loss(config: LossConfig) -> Loss:
    """The loss that a recipe names."""
    return find_rule(__name__, config.kind, "Loss")(config)
