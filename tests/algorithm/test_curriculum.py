"""The four curricula are four lists of stages; a plateau or a cap ends the first of two."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import TypeAdapter

from builders import problems
from srpo.algorithm.curriculum import Curriculum, Plateau, Stage, stages_of
from srpo.algorithm.sampler import Sampler
from srpo.recipe.schema import CurriculumConfig, NoneConfig, PlateauConfig, SamplerConfig

M, C = frozenset({"math"}), frozenset({"code"})
WANTED = {
    "staged": [("stage1", M), ("stage2", M | C)],
    "mixed": [("train", M | C)],
    "math-only": [("train", M)],
    "code-only": [("train", C)],
}
PLATEAU = PlateauConfig(window=3, patience=4, min_delta=0.01)


CONFIG: TypeAdapter[Any] = TypeAdapter(CurriculumConfig)


def stages(config: object) -> tuple[Stage, ...]:
    return stages_of(CONFIG.validate_python(config), ["math", "code"])


def staged(**config: object) -> Curriculum:
    return Curriculum(stages({"kind": "staged", **config}))


@pytest.mark.parametrize("kind", WANTED)
def test_each_curriculum_asks_its_domains_in_its_order(kind: str) -> None:
    assert [(s.name, s.domains) for s in stages(kind)] == WANTED[kind]
    curriculum = Curriculum(stages(kind))
    sampler = Sampler(problems(5, 4), SamplerConfig(strategy=NoneConfig()), 0)
    asked = []
    while True:
        sampler.enter(curriculum.stage.name, curriculum.stage.domains)
        asked.append(frozenset(p.domain for p in sampler.next_prompts()))
        if curriculum.is_last:
            break
        curriculum.advance()
    assert asked == [domains for _, domains in WANTED[kind]]


def test_stages_of_ones_own_are_taken_as_they_are() -> None:
    own = [
        {"name": "warm", "domains": ["code"], "max_steps": 3},
        {"name": "all", "domains": ["math", "code"], "plateau": {"window": 2}},
    ]
    first, last = stages(own)
    assert first == Stage("warm", C, None, 3)
    assert last == Stage("all", M | C, PlateauConfig(window=2))
    assert stages({"kind": "stages", "stages": own}) == (first, last)


@pytest.mark.parametrize("kind", ["staged", "mixed"])
def test_all_domains_that_there_are_take_part(kind: str) -> None:
    config = CONFIG.validate_python(kind)
    assert stages_of(config, ["units", "math"])[-1].domains == {"units", "math"}


@pytest.mark.parametrize("kind", ["mixed", "math-only", "code-only"])
def test_a_single_stage_ends_with_the_run_only(kind: str) -> None:
    curriculum = Curriculum(stages(kind))
    for _ in range(50):
        curriculum.observe(0.5)
    assert curriculum.is_last
    assert curriculum.finished(10) is None


def test_plateau_on_a_series_made_by_hand() -> None:
    plateau = Plateau(PLATEAU)
    series = [0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
    # averages of three:       .2, .3, .367, .4, .4, .4, .4, .4 -> best at the sixth, then 4 flat
    reached = []
    for accuracy in series:
        plateau.observe(accuracy)
        reached.append(plateau.reached)
    assert reached == [False] * 9 + [True]


def test_growth_never_ends_a_stage() -> None:
    plateau = Plateau(PLATEAU)
    for step in range(80):
        plateau.observe(step * 0.0101)
        assert not plateau.reached


def test_growth_below_the_delta_is_no_growth_until_it_adds_up() -> None:
    plateau = Plateau(PLATEAU)
    for step in range(200):
        plateau.observe(step * 0.004)  # a new best every third step, within the patience
        assert not plateau.reached
    for step in range(20):
        plateau.observe(0.8 + step * 0.0001)
    assert plateau.reached


@pytest.mark.parametrize("seed", range(20))
def test_noise_neither_ends_a_growing_stage_nor_saves_a_flat_one(seed: int) -> None:
    rng = random.Random(seed)
    plateau = Plateau(PlateauConfig(window=10, patience=15, min_delta=0.01))
    for step in range(60):
        plateau.observe(0.2 + 0.008 * step + rng.gauss(0, 0.03))
        assert not plateau.reached, step
    flat = 0
    while not plateau.reached:
        plateau.observe(0.68 + rng.gauss(0, 0.03))
        flat += 1
        assert flat < 120
    assert flat >= 15


def test_a_window_not_yet_full_is_not_judged() -> None:
    plateau = Plateau(PlateauConfig(window=10, patience=1))
    for _ in range(10):
        plateau.observe(0.5)
        assert not plateau.reached
    plateau.observe(0.5)
    assert plateau.reached


def test_the_first_stage_ends_by_plateau_by_cap_or_by_an_empty_pool() -> None:
    curriculum = staged(plateau=PLATEAU, stage1_max_steps=9)
    for _ in range(6):
        curriculum.observe(0.5)
    assert curriculum.finished(10) is None
    curriculum.observe(0.5)
    assert str(curriculum.finished(10)).startswith("plateau")
    growing = staged(plateau=PLATEAU, stage1_max_steps=9)
    for step in range(9):
        assert growing.finished(10) is None
        growing.observe(step / 10)
    assert growing.finished(10) == "step cap: 9 steps"
    assert str(staged().finished(0)).startswith("pool exhausted")


def test_without_plateau_or_cap_the_first_stage_goes_on() -> None:
    curriculum = Curriculum((Stage("open", M), Stage("never", C)))
    for _ in range(500):
        curriculum.observe(0.5)
    assert curriculum.finished(10) is None


def test_a_step_without_verdicts_counts_as_a_step_but_not_for_the_plateau() -> None:
    curriculum = staged(plateau=PLATEAU, stage1_max_steps=30)
    for _ in range(29):
        curriculum.observe(None)
        assert curriculum.finished(10) is None
    curriculum.observe(None)
    assert curriculum.finished(10) == "step cap: 30 steps"


def test_the_second_stage_starts_with_a_clean_slate() -> None:
    curriculum = staged(plateau=PLATEAU, stage1_max_steps=5)
    for _ in range(20):
        curriculum.observe(0.5)
    assert not curriculum.is_last
    assert curriculum.advance().name == "stage2"
    assert curriculum.is_last
    assert curriculum.steps == 0
    for _ in range(20):
        curriculum.observe(0.5)
    assert curriculum.finished(10) is None


@pytest.mark.parametrize("at", range(12))
def test_a_loaded_state_continues_identically(at: int) -> None:
    series = [0.1, 0.3, None, 0.4, 0.41, 0.42, 0.41, 0.4, 0.4, 0.42, 0.4, 0.4, 0.4]
    one, other = (staged(plateau=PLATEAU, stage1_max_steps=13) for _ in range(2))
    for accuracy in series[:at]:
        one.observe(accuracy)
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for accuracy in series[at:]:
        one.observe(accuracy)
        other.observe(accuracy)
        assert other.state_dict() == one.state_dict()
        assert other.finished(5) == one.finished(5)
    assert one.finished(5)
