"""Tables of plain words: on a page, in Markdown and on a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from srpo.report.chart import Chart, Series
from srpo.report.plain import Unit, cell_text, one_line

# Characters that start markup somewhere in a line; a backslash before them is always allowed.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


@dataclass(frozen=True)
class Sheet:
    """The first `heads` cells of a row name it."""

    caption: str
    columns: list[str]
    rows: list[list[str]]
    heads: int = 1


def chart_sheet(chart: Chart, most: int | None = None) -> Sheet:
    """The chart's own values, before any smoothing; at `most` places at even distances."""
    count = len(chart.axis.at)
    places = range(count)
    if most is not None and count > most:
        places = [round(i * (count - 1) / (most - 1)) for i in range(most)]
    rows = [
        [chart.axis.labels[i], *(_value(s, i, chart.unit) for s in chart.series)] for i in places
    ]
    columns = [chart.axis.name, *(s.label for s in chart.series)]
    return Sheet(f"{chart.title}, by {chart.axis.name}", columns, rows)


def _value(s: Series, i: int, unit: Unit) -> str:
    text = cell_text(s.values[i], unit)
    if not (s.low and s.high) or math.isnan(s.low[i]):
        return text
    return f"{text} ({cell_text(s.low[i], unit)} to {cell_text(s.high[i], unit)})"


def rich_table(sheet: Sheet) -> Table:
    """For a terminal; nothing in it is read as markup."""
    table = ruled_table(sheet.caption, sheet.columns, sheet.heads)
    for row in sheet.rows:
        table.add_row(*map(Text, row))
    return table


def ruled_table(title: str, columns: list[str], heads: int = 1) -> Table:
    """Without rows. The first `heads` columns name a row."""
    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        show_header=any(columns),
        collapse_padding=True,
    )
    for i, column in enumerate(columns):
        side = "left" if i < heads else "right"
        table.add_column(Text(column), justify=side, overflow="fold", vertical="top")
    return table


def escape(text: str) -> str:
    """One line in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", one_line(text, 4000))


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table_lines(sheet: Sheet) -> list[str]:
    """As Markdown."""
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


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
