"""The report as Markdown, to paste into an issue: the page's text and tables, without charts."""

from __future__ import annotations

from srpo.report.reader import Run
from srpo.report.run.charts import run_charts
from srpo.report.run.conclusions import conclusions, read_facts
from srpo.report.run.tables import run_sheets, summary_sheet, totals_sheet
from srpo.report.sheet import escape, fenced, table_lines


def markdown(run: Run) -> str:
    """The whole report; names from recipes and data are escaped."""
    facts, ledger = read_facts(run), run.ledger()
    charts = run_charts(facts.rows, facts.evals, ledger)
    sheets = [totals_sheet(run), *run_sheets(facts.evals, facts.epochs)]
    sheets += [summary_sheet(charts)] if charts else []
    title = f"## srpo report: {escape(facts.run.path.resolve().name)}"
    text = escape(" ".join(conclusions(facts)))
    recipe = ["<details><summary>recipe.yaml</summary>", "", fenced(facts.recipe_text, "yaml"), ""]
    parts = [title, "", text, "", *(line for s in sheets for line in table_lines(s))]
    return "\n".join([*parts, *recipe, "</details>"]) + "\n"
