"""What is odd is said in time, once, and only then."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import problems
from small_runs import small_recipe
from srpo.algorithm.curriculum import Stage
from srpo.run.advice import PATIENCE, Watch, of_base, of_data

BOTH = [Stage("train", frozenset({"math", "code"}))]


def test_shared_prompts_and_small_pools_are_named(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, sampler__prompts_per_step=4)
    train = [replace(p, prompt=f"{p.id}?") for p in problems(5, 3)]
    held = [replace(p, id=f"held-{p.id}", prompt=f"{p.id}, held out?") for p in problems(2)]
    assert list(of_data(recipe, train, held, BOTH)) == []
    leaked = replace(held[1], prompt=f" {random.choice(train).prompt}\n")
    (told,) = of_data(recipe, train, [held[0], leaked], BOTH)
    assert "1 of 2 prompts are in data.train, too, for example that of 'held-m1'" in told
    (told,) = of_data(recipe, train, held, [*BOTH, Stage("late", frozenset({"code"}))])
    assert "stage late has 3 prompts" in told


@pytest.mark.parametrize(("rate", "said"), [(0.0, "solves no held-out"), (1.0, "take harder")])
def test_a_base_that_knows_nothing_or_all_is_named(rate: float, said: str) -> None:
    line: dict[str, Any] = {"point": "base", "step": 0, "math": {"pass@1": rate}}
    (told,) = of_base(line | {"code": {"pass@1": 0.5}})
    assert told.startswith("math: ")
    assert said in told
    assert list(of_base({"code": {"pass@1": 0.01}})) == []


def test_a_run_without_lessons_says_so_once(tmp_path: Path) -> None:
    watch = Watch(small_recipe(tmp_path), "<eos>")
    told = [list(watch.step(row(step, informative=0.0))) for step in range(1, 30)]
    assert [i for i, texts in enumerate(told, 1) if texts] == [PATIENCE]
    assert "NOTHING IS LEARNT" in told[PATIENCE - 1][0]
    watch = Watch(small_recipe(tmp_path), "<eos>")
    assert not any(list(watch.step(row(s, informative=s % 4 == 0))) for s in range(1, 30))


def row(step: int, informative: float) -> dict[str, Any]:
    wrong = 1.0 - informative
    return {"step": step, "groups/informative": informative, "groups/all_wrong": wrong}


def test_a_first_step_that_is_cut_says_what_ends_a_response(tmp_path: Path) -> None:
    watch = Watch(small_recipe(tmp_path), "'<end>'")
    (told,) = watch.step({"step": 1, "truncated": 0.95, "groups/informative": 1.0})
    assert "95% of the first step's responses" in told
    assert "'<end>'" in told
    assert list(watch.step({"step": 2, "truncated": 1.0, "groups/informative": 1.0})) == []
