"""A run with a domain that nobody has heard of is reported like any other."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from report.chromium import BINARY, Page
from report.compare.seeded import make
from report.pages import Reader
from runs import eval_line, group, make_run, write_groups, write_lines
from srpo.metrics import Row
from srpo.report.colors import domain_style
from srpo.report.compare.charts import compare_charts
from srpo.report.compare.compare import compare_runs
from srpo.report.compare.words import compare_conclusions
from srpo.report.pace import Pace
from srpo.report.picture import draw_picture
from srpo.report.reader import domains, open_run
from srpo.report.run.charts import pictured, run_charts
from srpo.report.run.markdown import markdown
from srpo.report.run.page import page, write_page
from srpo.report.run.tables import eval_table, summary_lines
from srpo.run.display import step_line

NAME = random.choice(["logic", "units", "a-third.domain", "Ünits & <b>"])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Mathematics and a third domain; no code."""
    folder = make_run(tmp_path, steps=20, stage2_at=10)
    rows = [renamed(row) for row in open_run(folder).metrics()]
    write_lines(folder / "metrics.jsonl", [r | {f"reward/{NAME}": 0.5} for r in rows])
    lines = [eval_line("base", 0, 0.2, 0.3, 20.0), eval_line("final", 20, 0.4, 0.9, 30.0)]
    write_lines(folder / "evals.jsonl", [renamed(line) for line in lines])
    write_groups(folder, [group("p1", "ci", step=3), group("q", "ic", step=4, domain=NAME)])
    return folder


def renamed(line: Row) -> Row:
    return {key.replace("code", NAME): value for key, value in line.items()}


def test_it_has_its_curves_on_the_page_and_in_the_picture(run: Path):
    opened = open_run(run)
    charts = {c.key: c for c in run_charts(opened.metrics(), opened.evals(), opened.ledger())}
    style = domain_style(NAME)
    for key in ("accuracy", "length"):
        assert [(s.label, s.color) for s in charts[key].series] == [
            ("math", "blue"),
            (NAME, style.color),
        ]
    assert [(p.value, p.marker) for p in charts["accuracy"].points if p.color == style.color] == [
        (0.3, style.marker),
        (0.9, style.marker),
    ]
    drawn = draw_picture(pictured(list(charts.values())))
    assert {"math", NAME} <= {*drawn.axes[0].get_legend_handles_labels()[1]}


def test_it_is_in_every_table_and_every_sentence(run: Path):
    opened = open_run(run)
    assert domains(opened.metrics(), opened.evals()) == ["math", NAME]
    text = page(opened)
    tables = Reader(text).tables
    assert tables["Accuracy, by step"][0] == ["step", "math", NAME]
    assert tables["Reward by domain, by step"][0] == ["step", NAME]
    (held_out,) = (rows for caption, rows in tables.items() if caption.startswith("Held-out"))
    assert f"{NAME} pass@1" in held_out[0]
    said = "pass@1 went from 30.0% (95%: 26.0% to 34.0%) at step 0 to 90.0%"
    assert said in text
    assert said in markdown(opened).replace("\\", "")
    assert "code" not in text.split("<main>")[1].split('id="rollouts"')[0].lower()


def test_a_terminal_shows_it(run: Path):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(eval_table(open_run(run).evals()))
    assert NAME in console.export_text()
    row, line = open_run(run).metrics()[-1], open_run(run).evals()[-1]
    assert f"{NAME} pass@1 0.900" in summary_lines(line)
    accuracy, length = row[f"accuracy/{NAME}"], row[f"length/{NAME}"]
    assert f"| {NAME} {accuracy:.1%} {length:.1f} tokens |" in step_line(row, Pace())


def test_runs_are_compared_in_it(tmp_path: Path):
    for strategy, top in (("none", 0.4), ("history", 0.6)):
        for seed in range(3):
            points = [(0, 0, 0.2), (100, 100_000, top)]
            path = make(
                tmp_path / strategy / str(seed),
                seed,
                points,
                domains=(NAME,),
                sampler__strategy=strategy,
            )
            rows = [renamed(row) for row in open_run(path).metrics()]
            write_lines(path / "metrics.jsonl", rows)
    c = compare_runs([str(p) for p in tmp_path.glob("*/*")])
    assert f"eld-out {NAME} pass@1" in " ".join(compare_conclusions(c))
    assert compare_charts(c)[0].title == f"held-out {NAME} pass@1"


@pytest.mark.skipif(BINARY is None, reason="no Chromium is installed")
def test_its_groups_have_its_colour_in_a_browser(run: Path, tmp_path: Path):
    browser = Page(tmp_path / "profile")
    try:
        browser.open(write_page(run).as_uri())
        browser.run("ready")
        colors = browser.run("[...document.querySelectorAll('.group')].map(e => e.className)")
        assert colors == [f"group {domain_style(NAME).color}", "group blue"]
        assert browser.messages == []
    finally:
        browser.close()
    assert json.loads((run / "evals.jsonl").read_text().splitlines()[0])[NAME]["pass@1"] == 0.3
