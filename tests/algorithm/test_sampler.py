"""One loop, four strategies: each test of a strategy fails for the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import make_group, problems
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.sampler import Sampler
from srpo.domains import SHIPPED
from srpo.recipe.schema import SamplerConfig
from srpo.types import Group, Problem

MATH, BOTH = frozenset({"math"}), frozenset(SHIPPED)
POOL = problems(7, 3)
STRATEGIES = ("none", "dynamic", "history", "forecast")
# What every visit of a problem brings, for good: two solved, two hopeless, the others mixed.
FATE = {"m0": "cc", "m1": "cc", "m2": "ii", "m3": "ii"}


def make(strategy: str, seed: int = 0, per_step: int = 3, **config: Any) -> Sampler:
    section = {"strategy": {"kind": strategy, **config}, "prompts_per_step": per_step}
    return Sampler(POOL, SamplerConfig.model_validate(section), seed)


def groups_for(prompts: list[Problem]) -> list[Group]:
    return [make_group(FATE.get(p.id, "ci"), of=p) for p in prompts]


def run_step(sampler: Sampler, ledger: Ledger) -> list[Group]:
    """The trainer's use of the sampler: rounds of prompts until the step has what it wants."""
    groups: list[Group] = []
    for _ in range(sampler.rounds):
        groups += groups_for(sampler.next_prompts(groups))
    ledger.record(sampler.stage, sampler.epoch, 1, groups)
    return groups


def run_epoch(sampler: Sampler, ledger: Ledger) -> list[str]:
    seen = []
    while not sampler.epoch_over:
        seen += [g.problem.id for g in run_step(sampler, ledger)]
    sampler.resample(ledger)
    return seen


def started(strategy: str, **config: Any) -> tuple[Sampler, Ledger]:
    sampler = make(strategy, **config)
    sampler.enter("stage1", MATH)
    return sampler, Ledger(POOL, ["stage1", "stage2"])


def ids(prompts: list[Problem]) -> list[str]:
    return [p.id for p in prompts]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_first_epoch_visits_every_prompt_once(strategy: str) -> None:
    assert sorted(run_epoch(*started(strategy))) == [f"m{i}" for i in range(7)]


def test_none_comes_back_to_every_prompt_and_trains_on_every_group() -> None:
    sampler, ledger = started("none")
    run_epoch(sampler, ledger)
    assert sorted(run_epoch(sampler, ledger)) == [f"m{i}" for i in range(7)]
    groups = groups_for(POOL[:5])
    assert sampler.select(groups) == groups
    assert set(ledger.table()["decision"].to_pylist()) == {"keep"}
    assert set(ledger.table()["reason"].to_pylist()) == {"strategy keeps every prompt"}


def test_history_comes_back_to_all_but_the_solved() -> None:
    sampler, ledger = started("history")
    run_epoch(sampler, ledger)
    assert (sampler.size, sampler.dropped) == (5, 2)
    assert sorted(run_epoch(sampler, ledger)) == ["m2", "m3", "m4", "m5", "m6"]
    groups = groups_for(POOL[:5])
    assert sampler.select(groups) == groups
    assert ledger.table()["decision"].to_pylist().count("drop") == 2


def test_dynamic_throws_uniform_groups_away_and_says_so() -> None:
    sampler, ledger = started("dynamic")
    run_epoch(sampler, ledger)
    assert sorted(run_epoch(sampler, ledger)) == [f"m{i}" for i in range(7)]
    assert ids([g.problem for g in sampler.select(groups_for(POOL[:5]))]) == ["m4"]
    table = ledger.table().to_pydict()
    assert {
        i for i, d in zip(table["problem_id"], table["decision"], strict=True) if d == "discard"
    } == set(FATE)
    assert table["decision"].count("keep") == 6


def test_a_group_without_a_verdict_is_not_called_uniform() -> None:
    sampler, ledger = started("dynamic", per_step=7)
    outcomes = ["cc", "ie", "ee", "ci", "cie", "ee", "ii"]
    prompts = sampler.next_prompts()
    groups = [make_group(o, of=p) for o, p in zip(outcomes, prompts, strict=True)]
    ledger.record("stage1", 0, 1, groups)
    sampler.resample(ledger)
    rows = [(r["decision"], r["reason"].split(":")[0]) for r in ledger.table().to_pylist()]
    uniform = ("discard", "uniform group, resampled by the dynamic strategy")
    errored, kept = ("discard", "no verdict"), ("keep", "strategy keeps every prompt")
    assert rows == [uniform, uniform, errored, kept, kept, errored, uniform]
    assert sampler.select(groups) == [groups[3], groups[4]], "what is kept is what was trained on"


def test_dynamic_asks_for_what_the_step_lacks() -> None:
    sampler, _ = started("dynamic", per_step=4)
    first = sampler.next_prompts()
    assert len(first) == 4
    groups = [make_group(o, of=p) for o, p in zip(["ci", "cc", "ii", "ie"], first, strict=True)]
    second = sampler.next_prompts(groups)
    assert len(second) == 3, "one of four informs: three more"
    assert not {p.id for p in second} & {p.id for p in first}
    full = [make_group("ci", of=p) for p in POOL[:4]]
    assert sampler.next_prompts(full) == []


def test_dynamic_is_bounded_by_rounds_and_by_the_epoch() -> None:
    sampler, _ = started("dynamic", per_step=2, max_rounds=3)
    hopeless: list[Group] = []
    for _ in range(sampler.rounds):
        hopeless += [make_group("ii", of=p) for p in sampler.next_prompts(hopeless)]
    assert len(hopeless) == 6, "three rounds of two, all paid for, none selected"
    assert sampler.select(hopeless) == []
    assert len(sampler.next_prompts()) == 1, "what is left of seven"
    assert sampler.epoch_over
    assert sampler.next_prompts() == []
    assert [make(s).rounds for s in ("none", "history")] == [1, 1]


def test_the_last_batch_of_an_epoch_holds_what_is_left() -> None:
    sampler, _ = started("none")
    sizes = []
    while not sampler.epoch_over:
        sizes.append(len(sampler.next_prompts()))
    assert sizes == [3, 3, 1]


def test_an_emptied_pool_has_size_zero() -> None:
    sampler, ledger = started("history")
    while not sampler.epoch_over:
        solved = [make_group("cc", of=p) for p in sampler.next_prompts()]
        ledger.record("stage1", 0, 1, solved)
    sampler.resample(ledger)
    assert (sampler.size, sampler.dropped) == (0, 7)
    assert sampler.epoch_over
    assert sampler.next_prompts() == []
    sampler.resample(ledger)  # an epoch of nothing decides nothing
    assert sampler.size == 0


def test_a_stage_left_in_mid_epoch_decides_what_was_visited() -> None:
    sampler, ledger = started("history", per_step=7)
    visited = ids(sampler.next_prompts())[:3]
    ledger.record("stage1", 0, 1, [make_group("cc", of=p) for p in POOL if p.id in visited])
    sampler.decide(ledger)
    sampler.enter("stage2", BOTH)
    left = {p.id for p in POOL} - set(visited)
    assert set(ids([sampler.problems[i] for i in sampler.order.tolist()])) == left
    assert (sampler.size, sampler.dropped, sampler.epoch) == (7, 3, 0)
    assert set(ledger.table()["decision"].to_pylist()) == {"drop"}


def test_prompts_of_other_domains_wait_for_their_stage() -> None:
    sampler, ledger = started("history")
    run_epoch(sampler, ledger)
    sampler.decide(ledger)
    sampler.enter("stage2", BOTH)
    seen = run_epoch(sampler, ledger)
    assert {"k0", "k1", "k2"} <= set(seen)
    assert not {"m0", "m1"} & set(seen), "what stage 1 solved is not asked again"


def test_a_recheck_returns_and_is_dropped_again() -> None:
    sampler, ledger = started("history", recheck_share=0.5)
    run_epoch(sampler, ledger)
    assert (sampler.size, sampler.dropped) == (6, 1)
    seen = run_epoch(sampler, ledger)
    assert len({"m0", "m1"} & set(seen)) == 1
    assert sampler.size == 6


def test_dropped_prompts_count_as_correct_as_they_were() -> None:
    sampler, ledger = started("history", per_step=7, solved_at=0.5)
    outcomes = ["cccc", "ccci", "ccii", "ciii", "ccie", "iiii", "eeee"]
    groups = [make_group(o, of=p) for o, p in zip(outcomes, sampler.next_prompts(), strict=True)]
    ledger.record("stage1", 0, 1, groups)
    sampler.resample(ledger)
    assert sampler.dropped == 4
    assert sampler.dropped_correct == pytest.approx(1 + 3 / 4 + 2 / 4 + 2 / 3)
    other = make("history", solved_at=0.5)
    other.load_state_dict(json.loads(json.dumps(sampler.state_dict())))
    assert other.dropped_correct == sampler.dropped_correct


def test_order_depends_on_seed_epoch_and_stage_alone() -> None:
    def orders(seed: int) -> list[list[int]]:
        sampler = make("none", seed, per_step=10)
        ledger, found = Ledger(POOL, ["stage1", "stage2"]), []
        for stage in ("stage1", "stage2"):
            sampler.enter(stage, BOTH)
            for _ in range(2):
                found.append(sampler.order.tolist())
                run_epoch(sampler, ledger)
        return found

    assert orders(1) == orders(1)
    every = orders(1) + orders(2)
    assert len({tuple(o) for o in every}) == 8
    assert all(sorted(o) == list(range(10)) for o in every)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("steps", [1, 4, 7])
def test_a_loaded_state_continues_identically(strategy: str, steps: int) -> None:
    def walk(sampler: Sampler, ledger: Ledger, n: int) -> list[str]:
        seen = []
        for _ in range(n):
            seen += [g.problem.id for g in run_step(sampler, ledger)]
            if sampler.epoch_over:
                sampler.resample(ledger)
        return seen

    config: Any = {"recheck_share": 0.5} if strategy in ("history", "forecast") else {}
    sampler, ledger = started(strategy, **config)
    walk(sampler, ledger, steps)
    saved = json.loads(json.dumps(sampler.state_dict()))
    rows = ledger.state_dict()
    other, others = make(strategy, **config), Ledger(POOL, ledger.stages)
    other.load_state_dict(saved)
    others.load_state_dict(rows)
    assert walk(other, others, 9) == walk(sampler, ledger, 9)
    assert others.table().equals(ledger.table())
    assert other.state_dict() == sampler.state_dict()
