"""The report as Markdown, to paste into an issue: the page's text and tables, without charts."""

from __future__ import annotations

import re

from srpo.report.reader import Run
from srpo.report.run.charts import run_charts
from srpo.report.run.conclusions import conclusions, read_facts
from srpo.report.run.tables import run_sheets, summary_sheet, totals_sheet
from srpo.report.sheet import escape, table_lines


def markdown(run: Run) -> str:
    """The whole report; names from recipes and data are escaped."""
    facts, ledger = read_facts(run), run.ledger()
    charts = run_charts(facts.rows, facts.evals, ledger)
    sheets = [totals_sheet(run), *run_sheets(facts.evals, facts.epochs)]
    sheets += [summary_sheet(charts)] if charts else []
    title = f"## srpo report: {escape(facts.run.path.resolve().name)}"
    text = escape(" ".join(conclusions(facts)))
    recipe = ["<details><summary>recipe.yaml</summary>", "", _fenced(facts.recipe_text), ""]
    parts = [title, "", text, "", *(line for s in sheets for line in table_lines(s))]
    return "\n".join([*parts, *recipe, "</details>"]) + "\n"


def _fenced(text: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text.rstrip()}\n{fence}"
