"""The whole loop on the scale model: what a run leaves, and that nothing can make it lie."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from forked import Forked
from small_runs import differences, finish, signal_when_training, small_recipe, srpo, write_recipe
from srpo.data.sources import fingerprint, load_problems
from srpo.metrics import read_metrics
from srpo.observer import Observer
from srpo.recipe.load import load_recipe
from srpo.recipe.schema import Recipe
from srpo.run import session
from srpo.run.checkpoint import checkpoints
from srpo.run.session import RunEnd
from srpo.types import TrainingError, UserError


class StopAtOnce(Observer):
    def started(self, recipe: Recipe, run: Path, resumed_at: int) -> None:
        signal.raise_signal(signal.SIGTERM)


def train(path: Path, **overrides: object) -> RunEnd:
    return session.train(small_recipe(path, **overrides), Observer())


def ledger(run: Path) -> list[dict[str, object]]:
    return pq.read_table(run / "ledger.parquet").to_pylist()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run through the command line, in two stages."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = write_recipe(small_recipe(folder / "run"), folder / "recipe.yaml")
    code, output = finish(srpo("train", recipe))
    assert code == 0, output
    return folder / "run"


def test_a_run_leaves_what_the_readme_promises(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["ended"] == "max_steps: 5 steps"
    assert summary["steps"] == 5
    assert [e["point"] for e in summary["eval"]] == ["base", "stage1", "final"]
    assert set(summary["eval"][0]["math"]) >= {"pass@1", "pass@4", "mean_tokens"}
    rows = read_metrics(whole / "metrics.jsonl")
    assert summary["generated_tokens"] == sum(r["tokens/step"] for r in rows)
    assert [r["stage"] for r in rows] == ["stage1"] * 2 + ["stage2"] * 3
    assert len(summary["informative_groups"]) == len({(r["stage"], r["epoch"]) for r in rows})
    lines = (whole / "rollouts/step-000001.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert all(len(json.loads(line)["rollouts"]) == 4 for line in lines)
    assert (whole / "curves.png").stat().st_size > 10_000
    assert len(checkpoints(whole / "checkpoints")) == 2


def test_the_model_loads_in_transformers_and_continues_a_prompt(whole: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(whole / "model")
    model: Any = AutoModelForCausalLM.from_pretrained(whole / "model")
    ids = tokenizer("Compute 12+7.\n", return_tensors="pt")
    out = model.generate(**ids, max_new_tokens=8, do_sample=False)
    assert out.shape[1] > ids.input_ids.shape[1]


def test_the_ledger_agrees_with_the_rollouts(whole: Path) -> None:
    rows = ledger(whole)
    for row in rows:
        path = whole / f"rollouts/step-{row['step']:06d}.jsonl"
        groups = [json.loads(line) for line in path.read_text().splitlines()]
        [group] = [g for g in groups if g["problem_id"] == row["problem_id"]]
        outcomes = [r["outcome"] for r in group["rollouts"]]
        assert row["correct"] == outcomes.count("correct")
        assert row["wrong"] == outcomes.count("incorrect")
    # Stage 1 ends after 2 steps of 4 prompts, in the middle of its epoch of 10: what was
    # visited is decided all the same.
    first = [r for r in rows if r["stage"] == "stage1"]
    assert len(first) == 8
    assert all(r["decision"] in ("keep", "drop") for r in first)


@pytest.mark.parametrize("attempt", range(3))
def test_killed_anywhere_the_resumed_run_equals_the_uninterrupted_one(
    whole: Path, tmp_path: Path, attempt: int
) -> None:
    run = tmp_path / "run"
    recipe = write_recipe(small_recipe(run), tmp_path / "recipe.yaml")
    process = Forked("train", recipe)
    signal_when_training(process, run, random.uniform(0, 4), signal.SIGKILL)
    process.finish()
    if not (run / "summary.json").exists():
        code, output = Forked("resume", run).finish()
        assert code == 0, output
    assert differences(whole, run) == []


def test_sigterm_finishes_the_step_saves_and_says_how_to_go_on(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    recipe = write_recipe(small_recipe(run), tmp_path / "recipe.yaml")
    process = Forked("train", recipe)
    signal_when_training(process, run, 0.5, signal.SIGTERM)
    code, output = process.finish()
    assert code == 128 + signal.SIGTERM
    assert f"srpo resume {run}" in output.replace("\n", "")
    code, output = Forked("resume", run).finish()
    assert code == 0, output
    assert differences(whole, run) == []


def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    newest = checkpoints(run / "checkpoints")[-1] / "learner/learner.pt"
    newest.write_bytes(newest.read_bytes()[:-1000])
    (run / "summary.json").unlink()
    code, output = Forked("resume", run).finish()
    assert code == 0, output
    assert "falling back" in output
    assert differences(whole, run) == []


def test_a_full_disk_is_one_clear_line_and_loses_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    recipe = write_recipe(small_recipe(run), tmp_path / "recipe.yaml")
    code, output = Forked("train", recipe, largest_file=2**20).finish()
    assert code == 2
    assert "cannot write" in output
    assert "Traceback" not in output
    assert checkpoints(run / "checkpoints") == []
    assert not list((run / "checkpoints").glob(".writing*"))
    assert Forked("resume", run).finish()[0] == 0


def test_staged_training_sees_code_in_stage_two_only(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert [stage["name"] for stage in summary["stages"]] == ["stage1", "stage2"]
    by_stage = {(r["stage"], r["domain"]) for r in ledger(whole)}
    assert ("stage1", "code") not in by_stage
    assert ("stage2", "code") in by_stage


def test_a_token_budget(tmp_path: Path) -> None:
    end = train(tmp_path / "run", max_tokens=500, data__eval=[])
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert end.finished
    assert end.reason.startswith("max_tokens: ")
    assert rows[-1]["tokens/generated"] >= 500 > rows[-2]["tokens/generated"]


def test_evaluations_on_the_way(tmp_path: Path) -> None:
    train(tmp_path / "run", eval__every=2, eval__samples=2)
    lines = (tmp_path / "run" / "evals.jsonl").read_text().splitlines()
    evals = [json.loads(line) for line in lines]
    assert [e["point"] for e in evals] == ["base", "step 2", "stage1", "step 4", "final"]
    # That of the held-out problems, by which a comparison notices that they were changed.
    recipe = load_recipe(tmp_path / "run" / "recipe.yaml")
    held_out = load_problems(recipe.data.eval, "data.eval", recipe.seed)
    assert {e["fingerprint"] for e in evals} == {fingerprint(held_out)}


@pytest.mark.parametrize(
    ("kind", "domains"),
    [("mixed", {"math", "code"}), ("math-only", {"math"}), ("code-only", {"code"})],
)
def test_the_other_curricula_have_one_stage(tmp_path: Path, kind: str, domains: set[str]) -> None:
    train(tmp_path / "run", curriculum=kind, data__eval=[], max_steps=4)
    rows = ledger(tmp_path / "run")
    assert {r["stage"] for r in rows} == {"train"}
    assert {r["domain"] for r in rows} == domains


def test_history_never_visits_a_solved_prompt_again(tmp_path: Path) -> None:
    train(tmp_path / "run", curriculum="mixed", data__eval=[], max_steps=12)
    solved: set[object] = set()
    epochs: dict[object, set[object]] = {}
    for row in ledger(tmp_path / "run"):
        assert row["problem_id"] not in solved
        epochs.setdefault(row["epoch"], set()).add(row["problem_id"])
        if row["decision"] == "drop":
            assert row["wrong"] == 0
            solved.add(row["problem_id"])
    assert len(epochs) >= 2


def test_none_visits_every_prompt_in_every_epoch(tmp_path: Path) -> None:
    train(
        tmp_path / "run",
        curriculum="mixed",
        data__eval=[],
        max_steps=10,
        sampler__strategy="none",
    )
    rows = ledger(tmp_path / "run")
    for epoch in (0, 1):
        assert len({r["problem_id"] for r in rows if r["epoch"] == epoch}) == 20
    assert {r["decision"] for r in rows} == {"keep"}


def test_dynamic_pays_for_what_it_throws_away_and_trains_on_mixed_groups(tmp_path: Path) -> None:
    train(tmp_path / "run", data__eval=[], max_steps=4, sampler__strategy="dynamic")
    run = tmp_path / "run"
    rows = ledger(run)
    uniform = [r for r in rows if not (r["correct"] and r["wrong"])]
    assert uniform
    assert all(r["decision"] == "discard" for r in uniform)
    metrics = read_metrics(run / "metrics.jsonl")
    assert sum(m["groups/discarded"] for m in metrics) == len(uniform)
    tokens = 0
    for path in (run / "rollouts").iterdir():
        for line in path.read_text().splitlines():
            tokens += sum(r["tokens"] for r in json.loads(line)["rollouts"])
    assert metrics[-1]["tokens/generated"] == tokens
    assert metrics[-1]["tokens/trained"] < tokens


def test_an_emptied_pool_ends_the_stage(tmp_path: Path) -> None:
    data = tmp_path / "easy.jsonl"
    data.write_text('{"prompt": "Compute 1+1.", "answer": "none"}\n')
    end = train(
        tmp_path / "run",
        data__train=[{"path": str(data), "domain": "math"}],
        data__eval=[],
        curriculum="math-only",
        sampler__strategy={"solved_at": 1e-9},
        max_steps=3,
    )
    assert end.finished  # all wrong: the prompt stays for every step
    assert end.step == 3
    [ledger_rows] = [[r["decision"] for r in ledger(tmp_path / "run")]]
    assert ledger_rows == ["keep"] * 3


def test_diverged_weights_stop_the_run_with_the_steps_data(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"failed-step.*it would end there again"):
        train(tmp_path / "run", learner__lr=1e30, learner__max_grad_norm=1e9, data__eval=[])
    [saved] = (tmp_path / "run").glob("failed-step-*.pt")
    assert torch.load(saved, weights_only=True)["rows"]


def test_machinery_errors_stop_training_rather_than_count_as_wrong(tmp_path: Path) -> None:
    data = tmp_path / "bomb.jsonl"
    data.write_text('{"prompt": "Compute 1+1.", "answer": "9^{9^{9^9}}"}\n')
    with pytest.raises(TrainingError, match="errors of the machinery"):
        train(
            tmp_path / "run",
            data__train=[{"path": str(data), "domain": "math"}],
            data__eval=[],
            curriculum="math-only",
            rollout__group_size=2,
            verifier__time_limit_s=0.3,
        )


def test_a_folder_that_holds_a_run_is_not_overwritten(whole: Path) -> None:
    with pytest.raises(UserError, match="already holds a run"):
        session.train(small_recipe(whole), Observer())


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = Forked("train", write_recipe(small_recipe(run, max_steps=1000), tmp_path / "r.yaml"))
    while not list(run.glob("checkpoints/*")):
        assert first.poll() is None
        time.sleep(0.1)
    code, output = Forked("resume", run).finish()
    assert code == 2
    assert "another process is training in it" in " ".join(output.split())
    first.send_signal(signal.SIGTERM)
    first.finish()
    # The lock went with its process.
    assert session.resume(run, StopAtOnce()).signal == signal.SIGTERM


def test_resume_of_no_run_says_so(tmp_path: Path) -> None:
    code, output = Forked("resume", tmp_path).finish()
    assert code == 2
    assert "is no run" in output


def test_a_model_folder_without_tokenizer_is_refused(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((whole / "model" / name).read_bytes())
    with pytest.raises(UserError, match="tokenizer"):
        session.train(small_recipe(tmp_path / "run", model=str(folder)), Observer())
    assert not (tmp_path / "run").exists()


def test_more_tokens_than_the_model_has_positions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="use at most"):
        session.train(small_recipe(tmp_path / "run", rollout__max_new_tokens=510), Observer())
    assert not (tmp_path / "run").exists()


def test_resume_refuses_other_problems_than_the_run_had(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    text = (run / "recipe.yaml").read_text()
    (run / "recipe.yaml").write_text(text.replace("limit: 10", "limit: 9"))
    with pytest.raises(UserError, match="not those"):
        session.resume(run, Observer())


def test_a_stage_that_cannot_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="never end"):
        small_recipe(tmp_path, curriculum__stage1_max_steps=None)


def test_long_answers_lose_reward_and_cut_ones_are_not_learnt_from(tmp_path: Path) -> None:
    train(tmp_path / "run", data__eval=[], reward__overlong=20, loss__mask_truncated=True)
    groups = [
        json.loads(line)
        for path in (tmp_path / "run/rollouts").iterdir()
        for line in path.read_text().splitlines()
    ]
    rollouts = [r for g in groups for r in g["rollouts"]]
    for r in rollouts:
        lost = min(1.0, max(0.0, (r["tokens"] - 28) / 20))
        assert r["reward"].get("overlong", 0.0) == pytest.approx(lost)
        weighted = r["reward"]["accuracy"] + 0.1 * (r["reward"]["format"] - r["reward"]["language"])
        assert r["reward"]["total"] == pytest.approx(weighted - lost)
    assert {r["finish_reason"] for r in rollouts} == {"stop", "length"}
    rows = read_metrics(tmp_path / "run/metrics.jsonl")
    assert any(row.get("reward/overlong", 0) > 0 for row in rows)
    whole = sum(r["tokens"] for g in groups for r in g["rollouts"] if r["finish_reason"] == "stop")
    assert rows[-1]["tokens/trained"] <= whole


def test_a_sampling_of_few_tokens_is_scored_as_it_was_sampled(tmp_path: Path) -> None:
    train(tmp_path / "run", data__eval=[], rollout__top_k=5, rollout__top_p=0.9, max_steps=3)
    rows = read_metrics(tmp_path / "run/metrics.jsonl")
    assert max(row["mismatch/max"] for row in rows) < 1e-3
