"""One rule, one file: each kind of a recipe has the rule of its name, in the file of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from srpo.algorithm import advantages, losses, strategies
from srpo.recipe.schema import AdvantageConfig, LossConfig, OwnConfig, StrategyConfig

PLACES = {
    "advantages": (AdvantageConfig, advantages.open_advantage),
    "losses": (LossConfig, losses.open_loss),
    "strategies": (StrategyConfig, strategies.open_strategy),
}


def sections(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for argument in get_args(annotation) for s in sections(argument)]


KINDS = [
    (place, section)
    for place, (union, _) in PLACES.items()
    for section in sections(union)
    if section is not OwnConfig
]


@pytest.mark.parametrize(("place", "section"), KINDS, ids=lambda x: getattr(x, "__name__", x))
def test_each_kind_has_its_rule(place: str, section: Any):
    config = section()
    rule = PLACES[place][1](config)
    assert rule.config is config
    assert type(rule).__module__ == f"srpo.algorithm.{place}.{config.kind.replace('-', '_')}"
    assert type(rule).__name__.lower().startswith(config.kind.replace("-", ""))


@pytest.mark.parametrize("place", PLACES)
def test_each_file_is_a_kinds(place: str):
    folder = Path(__file__).parents[2] / "src/srpo/algorithm" / place
    files = {p.stem.replace("_", "-") for p in folder.glob("*.py")} - {"--init--", "base"}
    assert files == {section().kind for at, section in KINDS if at == place}
