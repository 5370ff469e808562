"""Comparisons of runs with known effects: alignment, evidence, words, and what is written."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from report.chromium import BINARY, Page
from report.compare.seeded import make, strings
from report.pages import HOSTILE, Reader
from runs import write_lines
from srpo.cli import app
from srpo.report.compare.alignment import By, Curve, Metric, cost_text, curve, find_metrics
from srpo.report.compare.charts import COLORS, COMPARED, compare_charts
from srpo.report.compare.compare import Comparison, compare_runs
from srpo.report.compare.conditions import group_runs
from srpo.report.compare.page import compare_markdown, compare_page, writer
from srpo.report.compare.words import compare_conclusions, compare_sheets, notes
from srpo.report.statistics import mean_interval
from srpo.types import POOL_EXHAUSTED, UserError

MATH = Metric("pass@1/math", held_out=True)
Points = list[tuple[int, int, float]]


def line(top: float, tokens: int = 100_000, bend: int = 100) -> Points:
    """From 0.2 straight to `top` at `bend` per cent of 100 steps, then flat."""
    points = [(0, 0, 0.2), (bend, tokens * bend // 100, top)]
    return points if bend == 100 else [*points, (100, tokens, top)]


def pair(
    folder: Path, none: list[Points], history: list[Points], domains: tuple[str, ...] = ("math",)
) -> list[str]:
    """Runs of two conditions, one a list of points, seeds from 0."""
    runs = []
    for strategy, every in (("none", none), ("history", history)):
        for seed, points in enumerate(every):
            path = folder / f"{strategy}{seed}"
            runs.append(make(path, seed, points, sampler__strategy=strategy, domains=domains))
    return strings(*runs)


def words(comparison: Comparison) -> str:
    return " ".join(compare_conclusions(comparison))


# --- alignment


def test_a_curve_is_straight_between_points_and_unknown_outside():
    c = Curve(np.array([10.0, 20.0, 40.0]), np.array([0.0, 1.0, 0.5]))
    assert c.at(np.array([10, 15, 30, 40])).tolist() == [0.0, 0.5, 0.75, 0.5]
    assert np.isnan(c.at(np.array([9.9, 40.1]))).all()


def test_a_curve_reaches_a_target_where_it_first_crosses_it():
    c = Curve(np.array([10.0, 20.0, 30.0, 40.0]), np.array([0.0, 1.0, 0.0, 2.0]))
    assert c.reaches(0.5) == 15.0
    assert c.reaches(1.5) == 37.5
    assert c.reaches(-1) == 10.0
    assert c.reaches(2.1) == math.inf
    assert c.reaches(0.0, rising=False) == 10.0
    assert Curve(c.x, -c.y).reaches(-0.5, rising=False) == 15.0


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0, 1))
def test_a_curve_is_at_the_target_where_it_reaches_it_and_not_before(ys: list[float], goal: float):
    c = Curve(np.arange(len(ys), dtype=float), np.array(ys))
    x = c.reaches(goal)
    if x == math.inf:
        assert max(ys) < goal
        return
    assert float(c.at(np.array(x))) >= goal - 1e-9
    assert all(y < goal for i, y in enumerate(ys) if i < x)


@pytest.mark.parametrize(("by", "x"), [(By.tokens, 50_000), (By.steps, 50), (By.seconds, 100.0)])
def test_evaluations_are_placed_by_what_they_cost(tmp_path: Path, by: By, x: float):
    points = [(0, 0, 0.2), (50, 50_000, 0.5), (100, 100_000, 0.6)]
    runs = strings(make(tmp_path / "a", 0, points), make(tmp_path / "b", 0, max_steps=7))
    found = curve(group_runs(runs).conditions[0].members[0], MATH, by)
    assert found is not None
    assert found.x.tolist() == [0, x, 2 * x]
    assert found.y.tolist() == [0.2, 0.5, 0.6]


def test_training_metrics_are_trailing_means(tmp_path: Path):
    """80 steps have a window of 10: the first mean stands at the tenth step."""
    runs = [make(tmp_path / "a", 0, [(80, 80_000, 0.5)]), make(tmp_path / "b", 0, max_steps=7)]
    member = group_runs(strings(*runs)).conditions[0].members[0]
    found = curve(member, Metric("length/math", held_out=False), By.tokens)
    assert found is not None
    assert (found.x[0], found.y[0]) == (10_000, pytest.approx(10 + 5.5))
    assert (found.x[-1], found.y[-1]) == (80_000, pytest.approx(10 + 75.5))


def test_names_of_metrics(tmp_path: Path):
    runs = pair(tmp_path, [line(0.5)], [line(0.5)], domains=("math", "code"))
    members = [m for c in group_runs(runs).conditions for m in c.members]
    assert [m.name for m in find_metrics("pass@1", members)] == ["pass@1/math", "pass@1/code"]
    assert [m.name for m in find_metrics("pass@1/code", members)] == ["pass@1/code"]
    assert [m.held_out for m in find_metrics("accuracy/pool", members)] == [False]
    with pytest.raises(UserError, match=r"'pass@9'.*pass@1, mean_tokens"):
        find_metrics("pass@9", members)
    with pytest.raises(UserError, match="'entropy'"):
        find_metrics("entropy", members)


def test_costs_as_people_read_them():
    assert cost_text(2_310_000, By.tokens) == "2.31M tokens"
    assert cost_text(1500, By.steps) == "1,500 steps"
    assert cost_text(250, By.seconds) == "4m10s"


# --- what is measured


def test_budget_target_costs_and_ratio_by_hand(tmp_path: Path):
    """Both end at 0.6, the target is 0.54: 85k tokens on the line to 100k, 42.5k on that to 50k."""
    runs = pair(tmp_path, [line(0.6)] * 3, [line(0.6, bend=50)] * 3)
    (m,) = compare_runs(runs).metrics
    assert (m.budget, m.target, m.rising) == (100_000, pytest.approx(0.54), True)
    none, history = m.results
    assert none.costs == pytest.approx([85_000] * 3)
    assert history.costs == pytest.approx([42_500] * 3)
    (k,) = m.contrasts
    assert k.ratio is not None
    assert (k.ratio.value, k.ratio.low, k.ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert (k.bound, k.difference.value, k.test.p, k.shown) == ("", 0.0, 1.0, False)


def test_a_run_that_ran_out_of_prompts_holds_its_last_value(tmp_path: Path):
    runs = pair(tmp_path, [line(0.6, 50_000)] * 3, [line(0.5, 100_000)] * 3)
    assert compare_runs(runs).metrics[0].budget == 50_000
    for seed in range(3):
        (tmp_path / f"none{seed}" / "summary.json").write_text(
            json.dumps({"ended": POOL_EXHAUSTED})
        )
    c = compare_runs(runs)
    (m,) = c.metrics
    assert (m.budget, m.shortest) == (100_000, "history0")
    assert m.results[0].at_budget == pytest.approx([0.6] * 3)
    assert m.results[1].at_budget == pytest.approx([0.5] * 3)
    assert sum("3 of 3 runs ended when their pool had no prompt left" in n for n in notes(c)) == 1
    assert [float(k.x[-1]) for k in m.results[0].curves] == [100_000] * 3
    # What is held is no evaluation: it is neither counted nor drawn as one.
    assert "at least 2 a run" in " ".join(notes(c))
    chart = compare_charts(c)[0]
    mine = [(p.x, p.value) for p in chart.points if p.color == COLORS[0]]
    assert mine == [(0, 0.2), (50_000, 0.6)] * 3
    assert chart.series[0].values[-1] == pytest.approx(0.6)


def test_where_all_ran_out_the_longest_sets_the_budget(tmp_path: Path):
    runs = pair(tmp_path, [line(0.6, 50_000)] * 2, [line(0.5, 70_000)] * 2)
    for run in runs:
        (Path(run) / "summary.json").write_text(json.dumps({"ended": POOL_EXHAUSTED}))
    (m,) = compare_runs(runs).metrics
    assert m.budget == 70_000


def test_the_shortest_run_sets_the_budget(tmp_path: Path):
    runs = pair(tmp_path, [line(0.6, 200_000), line(0.6)], [line(0.4, 300_000)] * 2)
    c = compare_runs(runs)
    (m,) = c.metrics
    assert (m.budget, m.shortest) == (100_000, "none1")
    assert m.results[0].at_budget == pytest.approx([0.4, 0.6])
    assert m.results[1].at_budget == pytest.approx([0.2 + 0.2 / 3] * 2)
    assert m.results[0].final.value == pytest.approx(0.6)
    assert any("none1 ends at 100k tokens" in n and "300k" in n for n in notes(c))


@pytest.mark.parametrize(
    ("none", "history", "bound", "ratio"),
    [
        ((0.6, 0.6), (0.6, 0.3), "≥", (75 + 100) / 2 / 75),
        ((0.6, 0.3), (0.6, 0.6), "≤", 75 / ((75 + 100) / 2)),
        ((0.6, 0.3), (0.6, 0.3), "?", 1.0),
        ((0.6, 0.6), (0.6, 0.6), "", 1.0),
    ],
)
def test_censored_runs_count_as_the_budget_and_bound_the_ratio(
    tmp_path: Path, none: tuple[float], history: tuple[float], bound: str, ratio: float
):
    """The target 0.5 is at 75k tokens on the line to 0.6, and beyond the line to 0.3."""
    runs = pair(tmp_path, [line(v) for v in none], [line(v) for v in history])
    (m,) = compare_runs(runs, target=0.5).metrics
    (k,) = m.contrasts
    assert k.ratio is not None
    assert (k.bound, k.ratio.value) == (bound, pytest.approx(ratio))
    assert [r.reached for r in m.results] == [sum(v > 0.5 for v in vs) for vs in (none, history)]


def test_what_comes_after_the_budget_does_not_count(tmp_path: Path):
    """The longer runs reach 0.5 at 150k tokens, where nobody knows of the shorter."""
    runs = pair(tmp_path, [line(0.6, 200_000)] * 2, [line(0.6)] * 2)
    (m,) = compare_runs(runs, target=0.5).metrics
    assert [r.reached for r in m.results] == [0, 2]
    assert m.contrasts[0].bound == "≤"


def test_a_target_nobody_reached_or_where_all_stood_has_no_ratio(tmp_path: Path):
    runs = pair(tmp_path, [line(0.6)] * 3, [line(0.5)] * 3)
    for target in (0.9, 0.1):
        (m,) = compare_runs(runs, target=target).metrics
        assert m.contrasts[0].ratio is None
    assert "not reached by then: strategy=none in 3 of 3" in words(compare_runs(runs, target=0.9))
    early = notes(compare_runs(runs, target=0.1))
    assert any("6 of 6 runs stand at the target 10.0% from their first point" in n for n in early)


def test_a_target_below_the_start_is_reached_by_falling(tmp_path: Path):
    """Entropy falls by 0.01 a step, half as fast in the others; means of 10 steps lag by 4.5."""
    runs = pair(tmp_path, [line(0.5)] * 2, [line(0.5)] * 2)
    for run, slope in zip(runs, (0.01, 0.01, 0.005, 0.005), strict=True):
        cost = [{"step": n, "tokens/generated": 1000 * n} for n in range(1, 101)]
        rows = [c | {"entropy": 1 - slope * c["step"]} for c in cost]
        write_lines(Path(run) / "metrics.jsonl", rows)
    (m,) = compare_runs(runs, metric="entropy", target=0.7).metrics
    assert not m.rising
    assert m.results[0].costs == pytest.approx([34_500] * 2)
    assert m.results[1].costs == pytest.approx([64_500] * 2)
    assert compare_runs(runs, metric="entropy").metrics[0].target is None


def test_same_seeds_are_paired_and_others_not(tmp_path: Path):
    """A shift of 0.1 in every pair, under seeds that differ by far more."""
    tops = [random.Random(s).uniform(0.3, 0.8) for s in range(6)]
    runs = pair(tmp_path / "a", [line(t) for t in tops], [line(t + 0.1) for t in tops])
    (k,) = compare_runs(runs).metrics[0].contrasts
    assert k.seeds == list(range(6))
    assert (k.test.paired, k.test.p) == (True, 2 / 2**6)
    assert (k.difference.low, k.difference.high) == pytest.approx((0.1, 0.1))
    others = [make(tmp_path / "b" / str(s), 10 + s, line(0.4), max_steps=9) for s in range(3)]
    (k,) = compare_runs([*runs[:6], *strings(*others)]).metrics[0].contrasts
    assert (k.seeds, k.test.paired) == ([], False)


def test_seeds_in_common_are_paired_and_it_is_said(tmp_path: Path):
    runs = pair(tmp_path, [line(0.5)] * 5, [line(0.6)] * 4)
    c = compare_runs(runs)
    assert c.metrics[0].contrasts[0].seeds == [0, 1, 2, 3]
    assert any("0, 1, 2, 3" in n and "the means are of all" in n for n in notes(c))
    (k,) = compare_runs([*runs[:2], *runs[-3:]]).metrics[0].contrasts  # seeds 0, 1 and 1, 2, 3
    assert not k.test.paired


def test_holm_counts_every_metric_and_condition(tmp_path: Path):
    tops = [0.4 + s / 100 for s in range(6)]
    runs = pair(tmp_path, [line(t) for t in tops], [line(t + 0.1) for t in tops], ("math", "code"))
    c = compare_runs(runs)
    assert c.tests == 2
    for k in (k for m in c.metrics for k in m.contrasts):
        assert (k.test.p, k.adjusted, k.possible) == (1 / 32, 1 / 16, 1 / 16)
    (k,) = compare_runs(runs, metric="pass@1/math").metrics[0].contrasts
    assert (k.adjusted, k.shown) == (1 / 32, True)


def test_the_baseline_is_the_first_condition_or_the_one_named(tmp_path: Path):
    runs = pair(tmp_path, [line(0.5)], [line(0.6)])
    assert compare_runs(runs).baseline.name == "sampler.strategy=none"
    c = compare_runs(runs, baseline="sampler.strategy=history")
    assert [k.label for k in c.conditions] == ["strategy=history", "strategy=none"]
    assert c.metrics[0].contrasts[0].difference.value == pytest.approx(-0.1)
    with pytest.raises(UserError, match="no such condition; there are 'sampler"):
        compare_runs(runs, baseline="x")


@pytest.mark.parametrize("by", list(By))
def test_training_metrics_are_compared_too(tmp_path: Path, by: By):
    """accuracy/pool is step/100 in these runs; by tokens the first takes twice as much."""
    runs = pair(tmp_path, [line(0.5, 200_000)] * 2, [line(0.5)] * 2)
    (m,) = compare_runs(runs, by, "accuracy/pool", target=0.4).metrics
    (k,) = m.contrasts
    assert k.ratio is not None
    assert k.ratio.value == pytest.approx(0.5 if by is By.tokens else 1.0)


def test_what_cannot_be_compared_is_said(tmp_path: Path):
    one, other = pair(tmp_path, [line(0.5)], [line(0.6)])
    write_lines(Path(other) / "evals.jsonl", [])
    with pytest.raises(UserError, match=r"history0: no evaluation with pass@1/math.*eval\.at"):
        compare_runs([one, other])
    write_lines(Path(one) / "evals.jsonl", [])
    with pytest.raises(UserError, match="no run has evaluations"):
        compare_runs([one, other])
    early = make(tmp_path / "early", 0, [(0, 0, 0.2)], max_steps=3)
    late = make(tmp_path / "late", 0, [(50, 50_000, 0.2), (100, 100_000, 0.4)])
    with pytest.raises(UserError, match="early ends at 0 tokens, late begins at 50,000"):
        compare_runs(strings(early, late))
    with pytest.raises(UserError, match="finite"):
        compare_runs([one, other], target=math.nan)


# --- what is said


def test_two_seeds_show_nothing_whatever_they_say(tmp_path: Path):
    said = words(compare_runs(pair(tmp_path, [line(0.2)] * 2, [line(0.9)] * 2)))
    assert "nothing can be shown with 2 paired seeds: 3 are the least" in said
    assert "difference is shown" not in said
    assert "p =" not in said


def test_two_seeds_against_many_show_nothing_even_where_p_is_small(tmp_path: Path):
    few = [make(tmp_path / f"few{s}", s, line(0.9)) for s in (10, 11)]
    many = [make(tmp_path / f"many{s}", s, line(0.3), max_steps=9) for s in range(6)]
    c = compare_runs(strings(*few, *many))
    assert c.metrics[0].contrasts[0].adjusted == 1 / 28
    assert "nothing can be shown with 2 seeds" in words(c)
    assert not c.metrics[0].contrasts[0].shown


def test_five_pairs_cannot_show_a_difference_and_it_says_why(tmp_path: Path):
    tops = [0.5 + s / 50 for s in range(5)]
    c = compare_runs(pair(tmp_path, [line(0.3)] * 5, [line(t) for t in tops]))
    assert "no difference shown" in words(c)
    assert "so few seeds cannot give a p below 0.062" in words(c)


def test_six_pairs_that_agree_show_one(tmp_path: Path):
    tops = [0.5 + s / 50 for s in range(6)]
    c = compare_runs(pair(tmp_path, [line(0.3)] * 6, [line(t) for t in tops]))
    said = words(c)
    assert "strategy=history 55.0%, a difference is shown (+25.0 points" in said
    assert "6 paired seeds, p = 0.031" in said
    assert "no difference" not in said
    assert "strategy=none in 6 of 6 seeds" in said


def test_a_difference_is_claimed_only_with_the_evidence(tmp_path: Path):
    r = random.Random()
    for n in range(12):
        seeds = r.choice([2, 4, 6, 8])
        effect = r.choice([0.0, 0.05, 0.2])
        none = [line(r.gauss(0.5, 0.05)) for _ in range(seeds)]
        history = [line(min(1.0, r.gauss(0.5 + effect, 0.05))) for _ in range(seeds)]
        c = compare_runs(pair(tmp_path / str(n), none, history))
        (k,) = c.metrics[0].contrasts
        assert ("a difference is shown" in words(c)) == (seeds >= 3 and k.adjusted <= 0.05)


def test_incomparable_runs_are_called_so_first(tmp_path: Path):
    one = make(tmp_path / "a", 0, line(0.5), eval__samples=4)
    other = make(tmp_path / "b", 0, line(0.5), eval__samples=8)
    assert words(compare_runs(strings(one, other))).startswith("These runs are not comparable")


def test_tables_hold_the_numbers(tmp_path: Path):
    tops = [random.uniform(0.4, 0.6) for _ in range(4)]
    c = compare_runs(pair(tmp_path, [line(t) for t in tops], [line(0.3)] * 4))
    sheets = {s.caption.split(":")[0].split(",")[0]: s for s in compare_sheets(c)}
    values = next(s for s in compare_sheets(c) if "reached it" in s.columns)
    i = mean_interval(np.array(tops))
    assert values.rows[0][2] == f"{i.value:.1%} ({i.low:.1%} to {i.high:.1%})"
    assert values.rows[1][4:] == ["-", "0 of 4"]
    assert sheets["Conditions"].rows[0][:3] == [
        "sampler.strategy=none (baseline)",
        "4",
        "0, 1, 2, 3",
    ]
    assert all(len(row) == len(s.columns) for s in compare_sheets(c) for row in s.rows)


def test_bands_are_the_intervals_over_seeds(tmp_path: Path):
    tops = [random.uniform(0.4, 0.6) for _ in range(4)]
    c = compare_runs(pair(tmp_path, [line(t) for t in tops], [line(0.3, 200_000)] * 4))
    chart = compare_charts(c)[0]
    band, at = chart.series[0], np.array(chart.axis.at)
    assert band.low is not None
    assert band.high is not None
    place = int(np.flatnonzero(~np.isnan(band.values))[-1])
    curves = c.metrics[0].results[0].curves
    i = mean_interval(np.array([float(k.at(at[[place]])[0]) for k in curves]))
    assert (band.values[place], band.low[place], band.high[place]) == pytest.approx(
        (i.value, i.low, i.high)
    )
    unknown = np.array(band.values)[at > 100_000]
    assert np.isnan(unknown).all()  # nothing is drawn where nothing is known


# --- what is written


def hostile(folder: Path) -> Comparison:
    for n, name in enumerate(("a", "b")):
        for seed in range(3):
            make(
                folder / name / f"r{seed}", seed, line(0.4 + n / 10), data__system="".join(HOSTILE)
            )
    text = "".join(HOSTILE).replace("=", "")
    return compare_runs([f"{text}={folder}/a/*", f"<b>x</b>={folder}/b/*"])


def test_the_page_runs_and_loads_nothing_and_text_stays_text(tmp_path: Path):
    c = hostile(tmp_path)
    read = Reader(compare_page(c))
    assert not {"script", "img", "iframe", "link", "object"} & set(read.tags)
    assert not [a for a in read.attributes if a[1].startswith("on") or a[1] in ("src", "style")]
    assert all(v.startswith("#") for _, name, v in read.attributes if name == "href")
    (policy,) = [v for t, n, v in read.attributes if n == "content" and "default-src" in v]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    charts = compare_charts(c)
    assert [chart.subject for chart in charts].count(COMPARED) == 1
    assert len(read.tables) == len(compare_sheets(c)) + len(charts)


def test_markdown_and_picture(tmp_path: Path):
    c = hostile(tmp_path)
    text = compare_markdown(c)
    assert text.startswith("## srpo compare\n")
    assert "<script" not in text.replace("\\<", "")
    out = tmp_path / "x.png"
    writer(out)(c, out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".writing*"))


def test_the_command(tmp_path: Path):
    runs = pair(tmp_path, [line(0.5)] * 3, [line(0.6)] * 3)
    out = tmp_path / "compare.html"
    result = CliRunner().invoke(app, ["compare", *runs, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "no difference shown" in " ".join(result.output.split())
    assert out.read_text().startswith("<!doctype html>")
    bad = CliRunner().invoke(app, ["compare", *runs, "--out", str(tmp_path / "x.pdf")])
    assert isinstance(bad.exception, UserError)
    assert "end it in .html, .md or .png" in str(bad.exception)
    with pytest.raises(UserError, match="there is no folder"):
        writer(tmp_path / "none" / "x.md")


@pytest.mark.skipif(BINARY is None, reason="no Chromium is installed")
def test_a_browser_shows_the_page_without_a_word(tmp_path: Path):
    out = tmp_path / "compare.html"
    writer(out)(hostile(tmp_path), out)
    page = Page(tmp_path / "profile")
    try:
        for width in (1280, 390):
            page.open(out.as_uri(), width=width, dark=width == 390)
            assert page.run("document.documentElement.scrollWidth") <= width
            assert page.run("document.querySelectorAll('polygon.band').length") >= 2
            opacity = "getComputedStyle(document.querySelector('polygon.band')).opacity"
            assert float(page.run(opacity)) < 0.5
        assert page.messages == []
        assert set(page.requests) == {out.as_uri()}
    finally:
        page.close()
