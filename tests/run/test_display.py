"""Displays show what the trainer says, also in an odd order, and never read markup."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from runs import eval_line, metrics_rows
from srpo.observer import Observer
from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run.display import BARS, LineDisplay, LiveDisplay, open_display, sparkline
from srpo.types import FinishReason, Group, Outcome, Problem, Rollout, Verdict

ROWS = metrics_rows(40, stage2_at=21)


def recipe(steps: int = 40) -> Recipe:
    train = [{"path": "nano:math", "domain": "math"}]
    tree = {"model": "nano", "max_steps": steps, "data": {"train": train}}
    return parse_recipe(tree | {"curriculum": {"kind": "math-only"}}, "r")


def play(observer: Observer, resumed_at: int = 0) -> None:
    observer.started(recipe(), Path("runs/[red]x"), resumed_at)
    observer.stage("stage1", "start")
    observer.phase("evaluate", 3, 64)
    observer.evaluated("base", eval_line("base", 0, 0.2, 0.3, 20.0))
    for row in ROWS[resumed_at:]:
        observer.phase("rollout", 5, 32)
        if row["step"] == 21:
            observer.stage("stage2", "plateau [bold]of accuracy")
        observer.step(row)
    observer.message("[blink]saved\x1b[2J")
    observer.closed()
    observer.closed()


@pytest.fixture
def live() -> LiveDisplay:
    return LiveDisplay(Console(file=io.StringIO(), width=100, force_terminal=True))


def panel(live: LiveDisplay, width: int = 100, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    with console.capture() as capture:
        console.print(live)
    return capture.get().rstrip()


def test_the_base_class_takes_everything():
    play(Observer())


def test_lines(capsys: pytest.CaptureFixture[str]):
    play(LineDisplay())
    lines = capsys.readouterr().out.splitlines()
    steps = [line for line in lines if line.startswith("step ")]
    assert len(steps) == 40
    assert steps[0].startswith("step 1/40 stage1 epoch 0 | reward 0.")
    assert "code" not in steps[0]
    assert "| code " in steps[-1]
    assert f"informative {ROWS[-1]['groups/informative']:.0%}" in steps[-1]
    assert steps[-1].endswith("eta 0s")
    assert "stage2: plateau [bold]of accuracy" in lines
    assert any("evaluated base: math pass@1 0.200" in line for line in lines)
    assert lines[-1] == "[blink]saved\\x1b[2J"


def test_a_row_with_little_in_it(capsys: pytest.CaptureFixture[str]):
    display = LineDisplay()
    display.step({"step": 1, "stage": "train", "epoch": 0})
    assert capsys.readouterr().out == "step 1/0 train epoch 0 | eta ?\n"


def test_the_panel_shows_the_run(live: LiveDisplay):
    assert "loading" in panel(live)
    play(live)
    text = panel(live)
    last = ROWS[-1]
    for part in (
        "runs/[red]x",
        "step 40/40",
        "stage2 · epoch 0",
        f"{last['accuracy/math']:.1%}",
        f"{last['length/code']:.1f}",
        f"{last['pool/size']:,}",
        "plateau [bold]of accuracy",
        "[blink]saved\\x1b[2J",
        sparkline([r["accuracy/math"] for r in ROWS], 32),
    ):
        assert part in text


def test_the_phase_is_shown_while_a_step_runs(live: LiveDisplay):
    live.started(recipe(), Path("run"), 7)
    live.phase("verify", 5, 32)
    text = panel(live)
    live.closed()
    assert "verify" in text
    assert "5/32" in text
    assert "step 7/40" in text


@pytest.mark.parametrize("height", [6, 15, 50])
@pytest.mark.parametrize("width", [30, 60, 200])
def test_any_size_will_do(live: LiveDisplay, width: int, height: int):
    play(live)
    lines = panel(live, width, height).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height


def test_a_small_terminal_keeps_the_evaluations(live: LiveDisplay):
    play(live)
    live.evaluated("stage1", eval_line("stage1", 20, 0.4, 0.5, 30.0))
    live.evaluated("final", eval_line("final", 40, 0.625, 0.75, 30.0))
    text = panel(live, 60, 15)
    assert "held-out, base   math 20.0%  code 30.0%" in text
    assert "held-out, final  math 62.5%  code 75.0%" in text
    assert "held-out, stage1" not in text
    assert "math accuracy" in text


def test_trends_have_a_scale(live: LiveDisplay):
    play(live)
    seen = [row["accuracy/math"] for row in ROWS]
    assert f"{min(seen):.1%} to {max(seen):.1%}" in panel(live)


def test_a_large_terminal_shows_an_answer(live: LiveDisplay):
    play(live)
    problem = Problem("p", "math", "6 times [red]7?", "42")
    text = "hm " * 2000 + "so \x1b[2J42"
    verdict = Verdict(Outcome.CORRECT, "42")
    rollout = Rollout(
        np.ones(1, np.int32), np.zeros(1, np.float32), text, FinishReason.STOP, 0, verdict
    )
    live.groups([Group(problem, [1], [rollout])])
    shown = panel(live, 120, 50)
    assert len(shown.splitlines()) <= 50
    for part in ("correct: 6 times [red]7?", "so \\x1b[2J42"):
        assert part in shown
        assert part not in panel(live, 60, 50)


def test_phase_is_cheap(live: LiveDisplay):
    start = time.perf_counter()
    for i in range(20_000):
        live.phase("rollout", i, 20_000)
    seconds = time.perf_counter() - start
    live.closed()
    assert seconds < 1.0


def test_without_a_terminal_there_are_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert isinstance(open_display(), LineDisplay)


def test_on_a_terminal_there_is_a_panel(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the stream for a terminal then
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    display = open_display()
    display.closed()
    assert isinstance(display, LiveDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_display(), LineDisplay)


@given(st.lists(st.floats(-1e9, 1e9), max_size=80), st.integers(1, 40))
def test_sparkline_fits_and_is_made_of_bars(values: list[float], width: int):
    line = sparkline(values, width)
    assert len(line) == min(len(values), width)
    assert set(line) <= set(BARS)


def test_sparkline_by_hand():
    assert sparkline(list(range(8)), 8) == BARS
    assert sparkline([0.0, 0.0, 1.0, 1.0], 2) == "▁█"
    assert sparkline([0.3] * 5, 5) == "▄▄▄▄▄"
