"""Easy, medium or hard, by how often a model solves a problem."""

from __future__ import annotations

from srpo.recipe.curation import Band, RatingConfig


def band(pass_rate: float, config: RatingConfig) -> Band:
    """By the thresholds of the recipe."""
    if pass_rate >= config.easy_from:
        return "easy"
    return "hard" if pass_rate < config.hard_below else "medium"
