"""The parts under the page: which rollouts it carries, its charts, and its words."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import eval_line, group, ledger_rows, make_run, write_groups, write_ledger, write_lines
from srpo.report.reader import open_run
from srpo.report.run.charts import run_charts, thin
from srpo.report.run.conclusions import conclusions, read_facts
from srpo.report.run.epochs import BUCKETS, bucket_shares
from srpo.report.run.sample import encode, sample_rollouts


def decoded(groups: list[str]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in groups]


# --- the sample of rollouts


def long_run(folder: Path, steps: int, per_step: int, length: int) -> Path:
    run = make_run(folder, steps=steps, stage2_at=steps)
    r = random.Random()
    every = [
        group(f"p{step}-{n}", "".join(r.choices("ci", k=6)), step)
        for step in range(1, steps + 1)
        for n in range(per_step)
    ]
    for g in every:
        for rollout in g["rollouts"]:
            rollout["text"] = "x" * r.randint(1, 2 * length)
    write_groups(run, every)
    return run


def test_a_small_run_is_carried_whole(tmp_path: Path):
    sample = sample_rollouts(open_run(long_run(tmp_path, 10, 3, 50)))
    found = decoded(sample.groups)
    assert sample.whole
    assert [g["id"] for g in found] == [f"p{s}-{n}" for s in range(1, 11) for n in range(3)]
    assert all(len(g["shown"]) == g["rollouts"] == 6 for g in found)


@pytest.mark.parametrize("steps", [40, 230])
def test_a_large_run_is_sampled_evenly_within_the_budget(tmp_path: Path, steps: int):
    budget = 400_000
    sample = sample_rollouts(open_run(long_run(tmp_path, steps, 12, 300)), budget)
    found = decoded(sample.groups)
    assert not sample.whole
    assert 0.6 * budget < sum(map(len, sample.groups)) <= budget
    counts = {s: sum(g["step"] == s for g in found) for s in {g["step"] for g in found}}
    assert len(counts) >= min(steps, 200) * 0.9
    assert {1, steps} <= counts.keys()
    assert max(counts.values()) <= 12
    assert [g["step"] for g in found] == sorted(g["step"] for g in found)
    assert len({(g["step"], g["id"]) for g in found}) == len(found)


def test_groups_with_errors_come_first(tmp_path: Path):
    run = long_run(tmp_path, 60, 20, 300)
    rows = open_run(run).metrics()
    bad = group("broken", "ciec", 33)
    file = run / "rollouts" / "step-000033.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:13], json.dumps(bad), *lines[13:]]) + "\n")
    write_lines(run / "metrics.jsonl", [r | {"errors": int(r["step"] == 33)} for r in rows])
    found = decoded(sample_rollouts(open_run(run), 150_000).groups)
    assert [g["id"] for g in found].count("broken") == 1


@given(st.text("cie", min_size=1, max_size=12), st.integers(300, 3000))
def test_a_cut_group_keeps_some_of_each_outcome(outcomes: str, limit: int):
    found = json.loads(encode(group("p", outcomes), limit))
    letters = [record[1][0] for record in found["shown"]]
    numbers = [record[0] for record in found["shown"]]
    assert found["rollouts"] == len(outcomes)
    assert found["correct"] == outcomes.count("c")
    assert found["judged"] == len(outcomes) - outcomes.count("e")
    assert numbers == sorted(numbers)
    assert letters == [outcomes[n - 1] for n in numbers]
    if len(letters) >= 3:
        assert set(letters) == set(outcomes)
    if len(letters) < len(outcomes):
        assert len(json.dumps(found)) < limit + 600


def test_long_texts_lose_their_middle():
    long = group("p", "c")
    long["rollouts"][0]["text"] = "A" * 5000 + "B" * 5000 + "C" * 5000
    text = json.loads(encode(long, 10**6))["shown"][0][7]
    assert text.startswith("AAA")
    assert text.endswith("CCC")
    assert "B" not in text
    assert "[… 11,000 characters left out …]" in text


def test_what_acts_is_made_visible():
    bad = group("p\u202e", "c", prompt="\x1b[2J")
    bad["rollouts"][0] |= {"text": "a\u202eb\u200bc\ud800", "detail": "\x07", "answer": "\u2067"}
    found = json.loads(encode(bad, 10**6))
    assert (found["id"], found["prompt"]) == ("p\\u202e", "\\x1b[2J")
    assert found["shown"][0][7] == "a\\u202eb\\u200bc\\ud800"
    assert found["shown"][0][4:6] == ["\\u2067", "\\x07"]
    bad["rollouts"][0]["text"] = "\u202e" + "x" * 9000 + "\u202e"
    text = json.loads(encode(bad, 10**6))["shown"][0][7]
    assert (text[:6], text[-6:], "\u202e" in text) == ("\\u202e", "\\u202e", False)


# --- values of the charts


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=60), st.integers(1, 20)
)
def test_thinning_averages_neighbours_of_one_stage(cells: list[tuple[str, int]], limit: int):
    cells.sort()
    rows = [{"step": n, "stage": s, "x": v} for n, (s, v) in enumerate(cells, 1)]
    found = thin(rows, limit)
    assert len(found) <= limit + 2
    at = 1
    for row in found:
        mine = rows[at - 1 : row["step"]]
        assert row["first"] == at
        assert {r["stage"] for r in mine} == {row["stage"]}
        assert row["x"] == sum(r["x"] for r in mine) / len(mine)
        at = row["step"] + 1
    assert at == len(rows) + 1


@pytest.mark.parametrize("seed", range(3))
def test_difficulty_is_the_ledgers_pass_rates(tmp_path: Path, seed: int):
    rows = ledger_rows([("stage1", 0, 80), ("stage1", 1, 50), ("stage2", 0, 30)], seed)
    random.Random(seed).shuffle(rows)
    names, starts, shares = bucket_shares(write_ledger(tmp_path / "ledger.parquet", rows))
    assert names == ["stage1 0", "stage1 1", "stage2 0"]
    assert starts == [(0.0, "stage1"), (2.0, "stage2")]
    for name, share in zip(names, shares, strict=True):
        mine = [r for r in rows if f"{r['stage']} {r['epoch']}" == name]
        rates = [
            r["correct"] / (r["correct"] + r["wrong"]) for r in mine if r["correct"] + r["wrong"]
        ]
        by_hand = [
            sum(r == 0 for r in rates),
            sum(0 < r <= 0.25 for r in rates),
            sum(0.25 < r <= 0.5 for r in rates),
            sum(0.5 < r <= 0.75 for r in rates),
            sum(0.75 < r < 1 for r in rates),
            sum(r == 1 for r in rates),
        ]
        assert share == pytest.approx([n / len(rates) for n in by_hand])
        assert len(share) == len(BUCKETS)


def test_a_chart_without_values_is_left_out():
    rows = [{"step": n, "stage": "train", "epoch": 0, "entropy": 0.5} for n in range(1, 9)]
    assert [c.key for c in run_charts(rows, [], None)] == ["entropy"]


# --- the conclusions' words


def words(run: Path) -> str:
    return " ".join(conclusions(read_facts(open_run(run))))


def test_the_conclusions_of_a_finished_run(tmp_path: Path):
    run = make_run(tmp_path, steps=110, stage2_at=58)
    evals = [eval_line("base", 0, 0.20, 0.28, 21.0), eval_line("final", 110, 0.27, 0.71, 42.0)]
    write_lines(run / "evals.jsonl", evals)
    text = words(run)
    assert "Finished after 110 of 110 steps (the step budget) in 5m52s." in text
    assert (
        "Held-out math (64 problems): pass@1 went from 20.0% (95%: 16.0% to 24.0%) at step 0 to"
        " 27.0% (95%: 23.0% to 31.0%) at step 110, +7.0 points: no clear change, the intervals"
        " overlap." in text
    )
    assert "+43.0 points; the intervals are apart." in text
    assert "Stage stage2 began at step 58 (plateau of accuracy)." in text
    assert "Every rollout was judged." in text


def test_the_conclusions_of_an_unfinished_run(tmp_path: Path):
    run = make_run(tmp_path, steps=50, stage2_at=30, finished=False)
    rows = open_run(run).metrics()[:40]
    rows = [r | {"seconds/step": 3.0, "errors": 2, "truncated": 0.25} for r in rows]
    write_lines(run / "metrics.jsonl", rows)
    text = words(run)
    assert "Not finished: at step 40 of 50" in text
    assert "the rest takes at most 30s at 3.0 s a step" in text
    assert "there is no later evaluation yet" in text
    assert "80 rollouts could not be judged" in text
    assert "In the last 10 steps 25.0% of responses hit the limit." in text


def test_a_run_that_its_token_budget_ends(tmp_path: Path):
    """110 steps at 352 s; of an unfinished one, 40 of 110 steps took half of the tokens."""
    run = make_run(tmp_path, steps=110, stage2_at=58)
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("max_steps: 110", "max_steps: 500"))
    summary = json.loads((run / "summary.json").read_text())
    ended = {"ended": "max_tokens: 2,310 generated tokens"}
    (run / "summary.json").write_text(json.dumps(summary | ended))
    assert "Finished after 110 of 500 steps (the token budget) in 5m52s." in words(run)
    (run / "summary.json").write_text(json.dumps(summary | {"ended": "pool exhausted"}))
    assert "110 of 500 steps (before its step budget: the stages ended)" in words(run)
    (run / "summary.json").unlink()
    rows = [r | {"seconds/step": 3.0} for r in open_run(run).metrics()[:40]]
    write_lines(run / "metrics.jsonl", rows)
    tokens = 2 * rows[-1]["tokens/generated"]
    recipe.write_text(f"{recipe.read_text()}max_tokens: {tokens}\n")
    assert "the rest takes at most 2m00s at 3.0 s a step" in words(run)


def test_the_conclusions_without_evaluations_is_of_training_prompts(tmp_path: Path):
    run = make_run(tmp_path, steps=50, stage2_at=90, finished=False)
    write_lines(run / "evals.jsonl", [])
    values = [r["accuracy/math"] for r in open_run(run).metrics()]
    before, after = sum(values[:5]) / 5, sum(values[-5:]) / 5
    text = words(run)
    assert f"accuracy went from {before:.1%} to {after:.1%} (first and last 5" in text
    assert "held-out code" not in text
