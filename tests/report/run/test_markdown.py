"""The report as Markdown: a renderer finds the same numbers, and no markup of others."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from report.pages import HOSTILE, Reader
from runs import eval_line, make_run, write_lines
from srpo.report.plain import one_line
from srpo.report.reader import open_run
from srpo.report.run.epochs import epochs
from srpo.report.run.markdown import escape, markdown

RENDERER = MarkdownIt("commonmark").enable("table")


def rendered(text: str) -> list[list[list[str]]]:
    """The cells of each table in the rendered page."""
    tables = []
    for table in re.findall(r"<table>.*?</table>", RENDERER.render(text), re.DOTALL):
        reader = Reader(table)
        tables.append(reader.rows)
    return tables


def test_the_tables_are_the_runs(tmp_path: Path):
    run = open_run(make_run(tmp_path))
    _, evals, ledger, curves = rendered(markdown(run))
    assert [row[:2] for row in evals[1:]] == [[e["point"], str(e["step"])] for e in run.evals()]
    file = run.ledger()
    assert file is not None
    assert [row[2] for row in ledger[1:]] == [f"{e['prompts']:,}" for e in epochs(file)]
    values = [row["accuracy/math"] for row in run.metrics()]
    n = len(values) // 10
    line = next(row for row in curves if row[0] == "Accuracy: math")
    means = [sum(values[:n]) / n, sum(values[-n:]) / n, min(values), max(values)]
    assert line[1:] == [f"{v:.1%}" for v in means]


def test_an_unfinished_run_has_one_too(tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text("model: nano\n")
    assert "no step is logged yet" in markdown(open_run(tmp_path))


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)))
def test_escaped_text_renders_as_itself(text: str):
    shown = one_line(text, 4000)
    html = RENDERER.render(f"x {escape(text)} x")
    reader = Reader(html)
    assert reader.tags == ["p"]
    plain = RENDERER.parse(f"x {escape(text)} x")[1].content
    assert escape(text) in plain
    (table,) = rendered(f"| a | b |\n| --- | --- |\n| {escape(text)} | y |")
    assert [cell.strip() for cell in table[1]] == [shown.strip(), "y"]


def test_names_cannot_break_out(tmp_path: Path):
    run = make_run(tmp_path)
    write_lines(run / "evals.jsonl", [eval_line("a|b\n# c", 0, 0.2, 0.3, 20.0)])
    (run / "recipe.yaml").write_text("model: nano # ``` ````\n</details>\n", encoding="utf-8")
    text = markdown(open_run(run))
    assert rendered(text)[1][1][0] == "a|b # c"
    (block,) = [t for t in RENDERER.parse(text) if t.type == "fence"]
    assert block.content.startswith("model: nano # ``` ````\n</details>")
