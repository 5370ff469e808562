"""The tables say what the files say."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from runs import eval_line, ledger_rows, make_run, write_ledger
from srpo.report.reader import Run, open_run, stage_starts
from srpo.report.run.epochs import epochs
from srpo.report.run.tables import epoch_sheet, eval_table, summary_lines, totals_sheet
from srpo.report.sheet import rich_table
from srpo.types import UserError


def text_of(renderable: RenderableType, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


@pytest.mark.parametrize("seed", range(3))
def test_epochs_are_the_ledgers_rows_summed_up(tmp_path: Path, seed: int):
    plan = [("stage1", 0, 70), ("stage1", 1, 41), ("stage2", 0, 90), ("stage2", 1, 33)]
    rows = ledger_rows(plan, seed)
    random.Random(seed).shuffle(rows)  # a group may finish before one that was sampled earlier
    found = epochs(write_ledger(tmp_path / "ledger.parquet", rows))
    assert [(e["stage"], e["epoch"], e["prompts"]) for e in found] == plan
    for e in found:
        mine = [r for r in rows if (r["stage"], r["epoch"]) == (e["stage"], e["epoch"])]
        n = len(mine)
        assert e["informative"] == sum(r["correct"] > 0 and r["wrong"] > 0 for r in mine) / n
        assert e["all_correct"] == sum(r["correct"] > 0 and r["wrong"] == 0 for r in mine) / n
        assert e["all_wrong"] == sum(r["correct"] == 0 and r["wrong"] > 0 for r in mine) / n
        assert e["errored"] == sum(r["errored"] for r in mine)
        assert e["truncated"] == pytest.approx(sum(r["truncated"] for r in mine) / (16 * n))
        assert e["mean_length"] == pytest.approx(sum(r["mean_length"] for r in mine) / n, rel=1e-6)
        assert e["dropped"] == sum(r["decision"] == "drop" for r in mine)
        assert e["over"] is not any(r["decision"] == "open" for r in mine)


def test_a_group_without_any_verdict_is_neither_right_nor_wrong(tmp_path: Path):
    row = ledger_rows([("stage1", 0, 1)])[0] | {"correct": 0, "wrong": 0, "errored": 16}
    (epoch,) = epochs(write_ledger(tmp_path / "ledger.parquet", [row]))
    assert (epoch["all_correct"], epoch["all_wrong"], epoch["informative"]) == (0, 0, 0)
    assert epoch["errored"] == 16


def test_large_sums_do_not_overflow(tmp_path: Path):
    row = ledger_rows([("stage1", 0, 1)])[0] | {"correct": 32_000, "wrong": 32_000, "errored": 9}
    (epoch,) = epochs(write_ledger(tmp_path / "ledger.parquet", [row] * 3))
    assert epoch["truncated"] == pytest.approx(row["truncated"] / 64_009)


def test_an_empty_ledger_has_no_epochs(tmp_path: Path):
    assert epochs(write_ledger(tmp_path / "ledger.parquet", [])) == []


def test_the_open_epoch_shows_no_number_dropped(tmp_path: Path):
    plan = [("stage1", 0, 60), ("stage1", 1, 40)]
    ledger = write_ledger(tmp_path / "l.parquet", ledger_rows(plan))
    text = text_of(rich_table(epoch_sheet(epochs(ledger))))
    first, second = [line for line in text.splitlines() if line.startswith("stage1")]
    assert first.split()[-1].isdigit()
    assert second.split()[-1] == "open"


def test_eval_table_shows_the_change_from_base():
    evals = [eval_line("base", 0, 0.21, 0.28, 20.0), eval_line("final", 9, 0.71, 0.18, 50.0)]
    lines = text_of(eval_table(evals)).splitlines()
    base = next(line for line in lines if line.startswith("base")).split()
    final = next(line for line in lines if line.startswith("final")).split()
    assert " ".join(base) == "base 0 0.210 ±.04 0.610 20.0 0.280 ±.04 0.680 16.0"
    assert " ".join(final) == "final 9 0.710 ±.04 1.000 50.0 0.180 ±.04 0.580 40.0"
    change = lines[lines.index(next(line for line in lines if line.startswith("final"))) + 1]
    assert change.split() == ["+0.500", "+0.390", "\u00d72.50", "-0.100", "-0.100", "\u00d72.50"]


def test_eval_table_fits_a_terminal_of_80():
    evals = [eval_line(p, 110, 0.21, 0.28, 1234.5) for p in ("base", "stage1", "final")]
    assert "…" not in text_of(eval_table(evals))


def test_eval_table_with_one_domain_and_another_k():
    line = {"point": "base", "step": 0, "math": {"pass@1": 0.5, "pass@8": 0.75}}
    text = text_of(eval_table([line]))
    assert "pass@8" in text
    assert "code" not in text
    assert summary_lines(line) == "math pass@1 0.500 pass@8 0.750"


def test_totals_of_a_finished_run_are_its_summarys(tmp_path: Path):
    run = open_run(make_run(tmp_path))
    text = text_of(rich_table(totals_sheet(run)))
    assert f"{json.loads((run.path / 'summary.json').read_text())['generated_tokens']:,}" in text
    assert "plateau of accuracy" in text
    assert "5m52s" in text


def test_totals_of_an_unfinished_run_are_its_last_rows(tmp_path: Path):
    run = open_run(make_run(tmp_path, steps=40, stage2_at=21, finished=False))
    text = text_of(rich_table(totals_sheet(run)))
    assert "not finished" in text
    assert f"{run.metrics()[-1]['tokens/generated']:,}" in text
    assert "entered at step 21" in text


def test_a_run_before_its_first_step(tmp_path: Path):
    (tmp_path / "recipe.yaml").touch()
    run = open_run(tmp_path)
    assert (run.metrics(), run.evals(), run.ledger(), run.files.rollout_files()) == (
        [],
        [],
        None,
        {},
    )
    assert "not finished" in text_of(rich_table(totals_sheet(run)))


def test_stage_starts():
    names = ["a", "a", "b", "b", "b"]
    rows = [{"step": i, "stage": name} for i, name in enumerate(names, 5)]
    assert stage_starts(rows) == [(5, "a"), (7, "b")]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_run(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=rf"'.*{name}' is no run: "):
        open_run(tmp_path / name)


def test_a_damaged_summary_says_what_to_do(tmp_path: Path):
    run = Run(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(UserError, match="delete it"):
        run.summary()
