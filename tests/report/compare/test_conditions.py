"""Runs become conditions by their recipes; what makes them incomparable is said."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.compare.seeded import make, strings
from srpo.report.compare.conditions import differing, flatten, group_runs, telling_fields
from srpo.types import UserError


def test_runs_that_differ_in_the_seed_alone_are_one_condition(tmp_path: Path):
    runs = []
    for strategy in ("none", "history"):
        for seed in (2, 0, 1):
            runs.append(make(tmp_path / f"{strategy}{seed}", seed, sampler__strategy=strategy))
    found = group_runs(strings(*runs))
    assert [c.name for c in found.conditions] == [
        "sampler.strategy=none",
        "sampler.strategy=history",
    ]
    assert [c.seeds for c in found.conditions] == [[0, 1, 2], [0, 1, 2]]
    assert found.varied == {"sampler.strategy": ["none", "history"]}
    assert found.warnings == []


def test_a_field_left_out_equals_its_default(tmp_path: Path):
    runs = [make(tmp_path / "a", 0), make(tmp_path / "b", 1, rollout__group_size=16)]
    other = make(tmp_path / "c", 0, rollout__group_size=8)
    found = group_runs(strings(*runs, other))
    assert [c.seeds for c in found.conditions] == [[0, 1], [0]]


def test_two_fields_name_what_one_cannot(tmp_path: Path):
    runs = [
        make(tmp_path / f"{lr}{g}", 0, learner__lr=lr, rollout__group_size=g, max_steps=steps)
        for lr, g, steps in ((1e-5, 8, 10), (1e-5, 16, 10), (1e-4, 8, 20), (1e-4, 16, 20))
    ]
    names = [c.name for c in group_runs(strings(*runs)).conditions]
    assert names[0] == "rollout.group_size=8, learner.lr=1e-05"
    assert len(set(names)) == 4


def test_the_method_names_a_condition_rather_than_its_budget(tmp_path: Path):
    one = make(tmp_path / "a", 0, max_steps=10)
    other = make(tmp_path / "b", 0, max_steps=20, loss__kl_coef=0.1)
    found = group_runs(strings(one, other))
    assert [c.name for c in found.conditions] == ["loss.kl_coef=0.0", "loss.kl_coef=0.1"]
    assert set(found.varied) == {"max_steps", "loss.kl_coef"}


recipes = st.lists(
    st.fixed_dictionaries({f: st.integers(0, 2) for f in "abcd"}),
    min_size=2,
    max_size=5,
    unique_by=lambda r: tuple(sorted(r.items())),
)


@given(recipes)
def test_the_telling_fields_tell_all_apart_and_no_fewer_do(found: list[dict[str, int]]):
    chosen = telling_fields(found)
    assert len({tuple(r[f] for f in chosen) for r in found}) == len(found)
    assert set(chosen) <= set(differing(found))
    for fewer in combinations("abcd", len(chosen) - 1):
        assert len({tuple(r[f] for f in fewer) for r in found}) < len(found)


def test_flatten_keeps_lists_whole():
    tree = {"a": {"b": 1, "c": [{"d": 2}]}, "e": None, "f": {}}
    assert flatten(tree) == {"a.b": 1, "a.c": [{"d": 2}], "e": None, "f": {}}


def test_a_kind_goes_by_its_section():
    tree = {"a": {"b": {"kind": "c", "d": 1}}, "kind": 2}
    assert flatten(tree) == {"a.b": "c", "a.b.d": 1, "kind": 2}


def test_settings_of_one_kind_alone_vary_with_the_kind(tmp_path: Path):
    strategies = (
        "none",
        {"kind": "history"},
        {"kind": "history", "solved_at": 0.9},
        {"kind": "own.rules:Rule"},
        {"kind": "own.rules:Rule", "share": 0.5},
    )
    runs = [
        make(tmp_path / str(i), 0, sampler__strategy=strategy)
        for i, strategy in enumerate(strategies)
    ]
    found = group_runs(strings(*runs[:2]))
    assert found.varied == {"sampler.strategy": ["none", "history"]}
    found = group_runs(strings(*runs[:3]))
    assert [c.label for c in found.conditions] == [
        "strategy=none",
        "strategy=history, solved_at=1.0",
        "strategy=history, solved_at=0.9",
    ]
    assert found.varied == {
        "sampler.strategy": ["none", "history", "history"],
        "sampler.strategy.solved_at": ["-", "1.0", "0.9"],
    }
    assert set(group_runs(strings(*runs[3:])).varied) == {"sampler.strategy.share"}
    found = group_runs(strings(runs[0], runs[4]))
    assert [c.name for c in found.conditions] == [
        "sampler.strategy=none",
        "sampler.strategy=own.rules:Rule",
    ]


def test_names_by_pattern(tmp_path: Path):
    for n in range(3):
        make(tmp_path / "old" / f"s{n}", n)
        make(tmp_path / "new" / f"s{n}", n, loss__clip_high=0.28)
    (tmp_path / "new" / "notes").mkdir()
    found = group_runs([f"base={tmp_path}/old/*", f"higher clip={tmp_path}/new/*"])
    assert [(c.name, c.seeds) for c in found.conditions] == [
        ("base", [0, 1, 2]),
        ("higher clip", [0, 1, 2]),
    ]


def test_a_folder_with_an_equals_sign_is_a_run(tmp_path: Path):
    runs = [make(tmp_path / f"lr={lr}", 0, learner__lr=lr) for lr in (1e-5, 1e-4)]
    assert len(group_runs(strings(*runs)).conditions) == 2


def test_a_run_given_twice_counts_once(tmp_path: Path):
    one, other = make(tmp_path / "a", 0), make(tmp_path / "b", 0, max_steps=7)
    found = group_runs([str(one), f"{one}/", str(other), str(one)])
    assert [len(c.members) for c in found.conditions] == [1, 1]


def test_what_people_get_wrong_is_said(tmp_path: Path):
    one, same = make(tmp_path / "a", 0), make(tmp_path / "b", 0)
    other = make(tmp_path / "c", 1)
    cases = [
        ([tmp_path / "none"], "no such folder"),
        ([one, tmp_path], "no recipe.yaml"),
        ([one, other], "same recipe but for the seed"),
        ([one, same], "seed 0 is there twice"),
        ([f"x={tmp_path}/z*"], "no run matches"),
        ([f"={tmp_path}/a"], "name before '=' is empty"),
        ([f"x={one}", other], "has no name"),
    ]
    for arguments, words in cases:
        with pytest.raises(UserError, match=words):
            group_runs([str(a) for a in arguments])


def test_a_damaged_recipe_is_named(tmp_path: Path):
    one = make(tmp_path / "a", 0)
    (one / "recipe.yaml").write_text("a: [")
    with pytest.raises(UserError, match=r"a/recipe\.yaml.*damaged"):
        group_runs([str(one), str(make(tmp_path / "b", 0))])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eval__samples": 4}, "eval.samples"),
        ({"data__eval": [{"path": "other.jsonl", "domain": "math"}]}, "data.eval"),
        ({"rollout__max_new_tokens": 9}, "rollout.max_new_tokens"),
        ({"max_steps": 5, "problems": 65}, "numbers of held-out problems"),
    ],
)
def test_different_measures_are_not_comparable(tmp_path: Path, change: dict[str, Any], words: str):
    one, other = make(tmp_path / "a", 0), make(tmp_path / "b", 0, **change)
    warnings = group_runs(strings(one, other)).warnings
    assert any(w.startswith("NOT COMPARABLE") and words in w for w in warnings)


def test_training_data_that_changed_under_the_same_name(tmp_path: Path):
    one = make(tmp_path / "a", 0, problem_print="x")
    other = make(tmp_path / "b", 0, problem_print="y", max_steps=5)
    fine = make(tmp_path / "c", 0, problem_print="x", max_steps=6)
    elsewhere = make(tmp_path / "d", 1, problem_print="z", max_steps=6)
    assert any("data file was changed" in w for w in group_runs(strings(one, other)).warnings)
    assert group_runs(strings(one, fine, elsewhere)).warnings == []


def test_held_out_data_that_changed_under_the_same_name(tmp_path: Path):
    """As many problems, and still others; those that are generated follow the seed."""
    one = make(tmp_path / "a", 0, held_out_print="x")
    other = make(tmp_path / "b", 0, held_out_print="y", max_steps=5)
    fine = make(tmp_path / "c", 0, held_out_print="x", max_steps=6)
    elsewhere = make(tmp_path / "d", 1, held_out_print="z", max_steps=6)
    old = make(tmp_path / "e", 2, max_steps=6)
    assert group_runs(strings(one, fine, elsewhere, old)).warnings == []
    (warning,) = group_runs(strings(one, other)).warnings
    assert warning.startswith("NOT COMPARABLE as they stand: a and b: the same data.eval")
    lines = (fine / "evals.jsonl").read_text().splitlines()
    lines[-1] = lines[-1].replace('"x"', '"w"')  # the file was changed before a resume
    (fine / "evals.jsonl").write_text("\n".join(lines) + "\n")
    (warning,) = group_runs(strings(one, fine)).warnings
    assert "NOT COMPARABLE" in warning
    assert "data.eval" in warning


@pytest.mark.parametrize(
    ("change", "measured"),
    [
        ({"eval__at": ["final"]}, False),
        ({"eval__every": 7}, False),
        ({"eval__samples": 7}, True),
        ({"rollout__top_p": 0.5}, True),
        ({"rollout__group_size": 4}, False),
        ({"reward__math_format": "tags"}, True),
        ({"reward__format": 0.5}, False),
    ],
)
def test_what_is_a_measure_and_what_is_not(tmp_path: Path, change: dict[str, Any], measured: bool):
    one, other = make(tmp_path / "a", 0), make(tmp_path / "b", 0, **change)
    warnings = group_runs(strings(one, other)).warnings
    assert any("NOT COMPARABLE" in w for w in warnings) == measured


def test_warnings_are_the_same_whatever_the_hash_seed(tmp_path: Path):
    """Sets of texts have no order that two processes agree on."""
    sizes = range(60, 66)
    runs = [make(tmp_path / str(n), 0, problems=n, max_steps=n) for n in sizes]
    program = (
        "import sys\nfrom srpo.report.compare.conditions import group_runs\n"
        "print(*group_runs(sys.argv[1:]).warnings, sep='\\n')"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, *strings(*runs)],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(said) == 1
    found = [int(n) for n in re.findall(r'"math": (\d+)', said.pop())]
    assert found == list(sizes)


def test_unfinished_and_mixed_runs_are_told(tmp_path: Path):
    make(tmp_path / "a" / "1", 0, finished=False)
    make(tmp_path / "b" / "1", 0)
    make(tmp_path / "b" / "2", 1, learner__lr=random.Random().uniform(0.1, 1))
    first, second = group_runs([f"a={tmp_path}/a/*", f"b={tmp_path}/b/*"]).warnings
    assert "learner.lr" in first
    assert "Not finished" in second
