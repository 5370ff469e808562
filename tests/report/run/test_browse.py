"""Browsing finds the groups that were asked for, and shows them as text only."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from runs import group, write_groups
from srpo.report.reader import Run
from srpo.report.run.browse import Filter, find_groups, show_group
from srpo.types import UserError

GROUPS = [
    group("a", "cci", step=1),
    group("b", "iie", step=1, domain="code"),
    group("a", "ccc", step=2),
    group("c", "iii", step=12, domain="code"),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_groups(tmp_path, GROUPS)
    return Run(tmp_path)


def shown(one: dict, wanted: Filter | None = None, responses: int = 9) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system="truecolor")
    console.print(show_group(one, wanted or Filter(), responses))
    return out.getvalue()


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Filter(), [0, 1, 2, 3]),
        (Filter(step=1), [0, 1]),
        (Filter(problem="a"), [0, 2]),
        (Filter(outcome="incorrect"), [0, 1, 3]),
        (Filter(outcome="error"), [1]),
        (Filter(domain="code"), [1, 3]),
        (Filter(domain="code", outcome="correct"), []),
        (Filter(step=2, problem="b"), []),
    ],
)
def test_filters(run: Run, wanted: Filter, places: list[int]):
    assert list(find_groups(run, wanted)) == [GROUPS[i] for i in places]


def test_an_outcome_shows_only_such_responses(run: Run):
    text = shown(GROUPS[1], Filter(outcome="error"))
    assert "answer 2 of b" in text
    assert "answer 0 of b" not in text


def test_everything_about_a_response_is_shown():
    text = shown(GROUPS[0])
    for part in ("question a", "answer 0 of a", "30 tokens", "detail 0", "reward 1.1", "2 of 3"):
        assert part in text


def test_more_responses_are_announced():
    text = shown(GROUPS[0], responses=1)
    assert "2 more responses: --responses 3" in text
    assert "answer 1 of a" not in text


def test_untrusted_text_is_neither_markup_nor_terminal_codes():
    evil = "[red]x[/red] [link=file:///etc]y[/link] \x1b]0;owned\x07\x1b[2J \u202etxt \ud83d"
    one = group(evil, "ce", prompt=evil, stage=evil)
    for rollout in one["rollouts"]:
        rollout |= {"text": evil, "answer": evil, "detail": evil, "outcome": "[bold]"}
    text = shown(one)
    assert text.count("[red]x[/red]") >= 4
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert not set(text) & {"\x07", "\u202e", "\ud83d"}
    text.encode("utf-8")


def test_a_line_cut_by_a_kill_is_left_out(run: Run):
    file = run.files.rollout_files()[12]
    file.write_bytes(file.read_bytes() + b'{"step": 12, "problem_')
    assert [g["problem_id"] for g in find_groups(run, Filter(step=12))] == ["c"]


def test_no_such_step_names_those_that_are_there(run: Run):
    with pytest.raises(UserError, match=r"--step 7: .* 1 to 12"):
        list(find_groups(run, Filter(step=7)))


def test_no_rollouts_at_all(tmp_path: Path):
    with pytest.raises(UserError, match=r"log\.rollouts"):
        list(find_groups(Run(tmp_path), Filter()))
