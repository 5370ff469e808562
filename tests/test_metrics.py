"""Metrics are written once, under known names, and cut back on resume."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from srpo.metrics import (
    METRICS,
    WALL_CLOCK,
    MetricsWriter,
    Row,
    domain_of,
    meaning,
    metrics_page,
    read_metrics,
)


class Recorder:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.closed = False

    def log(self, row: Row) -> None:
        self.rows.append(row)

    def close(self) -> None:
        self.closed = True


def rows(steps: range) -> list[Row]:
    return [{"step": s, "stage": "stage1", "loss": s / 3} for s in steps]


def test_what_is_logged_is_read_back_and_goes_to_every_tracker(tmp_path: Path):
    recorder = Recorder()
    writer = MetricsWriter(tmp_path / "metrics.jsonl", [recorder])
    for row in rows(range(1, 6)):
        writer.log(row)
    writer.close()
    assert read_metrics(writer.path) == recorder.rows == rows(range(1, 6))
    assert recorder.closed


def test_an_unknown_name_is_refused_and_not_written(tmp_path: Path):
    writer = MetricsWriter(tmp_path / "metrics.jsonl")
    with pytest.raises(AssertionError, match="reward/men"):
        writer.log({"step": 1, "reward/men": 0.5})
    assert not writer.path.exists()


def test_metrics_of_a_domain_are_known_for_every_domain(tmp_path: Path):
    writer = MetricsWriter(tmp_path / "metrics.jsonl")
    row = {"step": 1, "length/logic": 3.0, "accuracy/logic": 0.5, "reward/logic": 0.6}
    writer.log(row)
    assert read_metrics(writer.path) == [row]
    assert meaning("accuracy/logic") == meaning("accuracy/math") == METRICS["accuracy/{domain}"]
    assert (meaning("accuracy/"), meaning("pool/math"), meaning("x")) == (None, None, None)
    assert (meaning("accuracy/pool"), meaning("lr")) == (METRICS["accuracy/pool"], METRICS["lr"])
    names = ("accuracy/logic", "accuracy/pool", "length/max", "clip/low", "step")
    assert [domain_of(name) for name in names] == ["logic", None, None, None, None]


def test_not_a_number_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON"):
        MetricsWriter(tmp_path / "metrics.jsonl").log({"step": 1, "loss": math.nan})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(saved=st.integers(0, 8), lost=st.integers(0, 5), torn=st.integers(0, 30))
def test_resume_equals_a_run_without_interruption(tmp_path: Path, saved: int, lost: int, torn: int):
    """Rows after the checkpoint, and half a row, go; the resumed run writes them again."""
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"")
    first = MetricsWriter(path)
    for row in rows(range(1, saved + 1)):
        first.log(row)
    state = first.state_dict()
    for row in rows(range(saved + 1, saved + lost + 1)):
        first.log(row)
    path.write_bytes(path.read_bytes() + b'{"step": 99, "stage": "stage1", "loss": 3'[:torn])
    second = MetricsWriter(path)
    second.load_state_dict(state)
    for row in rows(range(saved + 1, 12)):
        second.log(row)
    assert read_metrics(path) == rows(range(1, 12))
    assert second.rows == 11


def test_a_line_cut_by_a_kill_is_left_out(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste')
    assert read_metrics(path) == [{"step": 1}, {"step": 2}]


def test_wall_clock_names_are_those_that_depend_on_the_machine():
    assert {"seconds/step", "seconds/total", "tokens/s"} <= WALL_CLOCK
    assert not {"tokens/generated", "loss", "step"} & WALL_CLOCK


def test_the_page_in_docs_is_the_generated_one():
    assert (Path(__file__).parents[1] / "docs/metrics.md").read_text() == metrics_page()


def test_every_metric_has_a_meaning_and_a_row_in_the_page():
    page = metrics_page()
    assert all(meaning.endswith(".") and len(meaning) > 8 for meaning in METRICS.values())
    assert page.count("\n| `") == len(METRICS)
    unescaped = page.replace("\\|", "")
    assert all(line.count("|") == 3 for line in unescaped.splitlines() if line.startswith("| `"))


def test_evaluations_go_to_every_tracker(tmp_path: Path):
    recorder = Recorder()
    writer = MetricsWriter(tmp_path / "metrics.jsonl", [recorder])
    writer.evaluated(
        {"point": "base", "step": 0, "math": {"pass@1": 0.25, "errors": 0}, "code": {"pass@1": 1.0}}
    )
    assert recorder.rows == [
        {"step": 0, "eval/math/pass@1": 0.25, "eval/math/errors": 0, "eval/code/pass@1": 1.0}
    ]
    assert not (tmp_path / "metrics.jsonl").exists()
