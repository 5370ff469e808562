"""The report as Markdown, to paste into an issue: the page's text and tables, without charts."""

from __future__ import annotations

import re

from srpo.report.plain import one_line
from srpo.report.reader import Run
from srpo.report.run.charts import sections
from srpo.report.run.conclusions import conclusions, read_facts
from srpo.report.run.sheets import Sheet, epoch_sheet, eval_sheet, summary_sheet
from srpo.report.run.tables import totals

# Characters that start markup somewhere in a line; a backslash before them is always allowed.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(run: Run) -> str:
    """The whole report; names from recipes and data are escaped."""
    facts, ledger = read_facts(run), run.ledger()
    charts = [c for s in sections(facts.rows, facts.evals, ledger) for c in s.charts]
    sheets = [Sheet("Run", ["", ""], [[k, v] for k, v in totals(run).items()])]
    sheets += [eval_sheet(facts.evals)] if facts.evals else []
    sheets += [epoch_sheet(ledger)] if ledger is not None else []
    sheets += [summary_sheet(charts)] if charts else []
    title = f"## srpo report: {escape(facts.run.path.resolve().name)}"
    text = escape(" ".join(conclusions(facts)))
    recipe = ["<details><summary>recipe.yaml</summary>", "", _fenced(facts.recipe_text), ""]
    parts = [title, "", text, "", *(line for s in sheets for line in table_lines(s))]
    return "\n".join([*parts, *recipe, "</details>"]) + "\n"


def escape(text: str) -> str:
    """One line in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", one_line(text, 4000))


def table_lines(sheet: Sheet) -> list[str]:
    align = [*([":--"] * sheet.heads), *(["--:"] * (len(sheet.columns) - sheet.heads))]
    rows = [_row(map(escape, row)) for row in sheet.rows]
    return [
        f"**{escape(sheet.caption)}**",
        "",
        _row(map(escape, sheet.columns)),
        _row(align),
        *rows,
        "",
    ]


def _row(cells: object) -> str:
    return "| " + " | ".join(cells) + " |"  # pyright: ignore


def _fenced(text: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text.rstrip()}\n{fence}"
