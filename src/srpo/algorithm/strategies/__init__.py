"""Rules for prompts, one a file: kind `history` is `HistoryStrategy` in history.py."""

from __future__ import annotations

from srpo.algorithm.rules import find_rule
from srpo.algorithm.strategies.base import Strategy
from srpo.recipe.load import parse_section
from srpo.recipe.own import load_own
from srpo.recipe.schema import OwnConfig, StrategyConfig
from srpo.types import UserError

FIELD = "sampler.strategy"


def open_strategy(config: StrategyConfig) -> Strategy:
    """The strategy that a recipe names. Raises UserError for one of one's own that is none."""
    if not isinstance(config, OwnConfig):
        return find_rule(__name__, config.kind, "Strategy")(config)
    own = load_own(config.kind, f"{FIELD}.kind")
    if not (isinstance(own, type) and issubclass(own, Strategy)):
        raise UserError(
            f"{FIELD}.kind: {config.kind!r} is no strategy: it has to be a class that derives from"
            " srpo.algorithm.strategies.base.Strategy"
        )
    return own(parse_section(own.Settings, config.model_extra or {}, FIELD))
