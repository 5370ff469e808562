"""Advantages, one a file: kind `group` is `GroupAdvantage` in group.py."""

from __future__ import annotations

from srpo.algorithm.advantages.base import Advantage
from srpo.algorithm.rules import find_rule
from srpo.recipe.schema import AdvantageConfig


def open_advantage(config: AdvantageConfig) -> Advantage:
    """The advantage that a recipe names."""
    return find_rule(__name__, config.kind, "Advantage")(config)
