"""`srpo analyze`: reasoning behaviours in responses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def analyze(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|FILE",
            help="A run's or an evaluation's folder, or a file with a column response.",
        ),
    ],
    rules: Annotated[
        str,
        typer.Option(
            help="srpo, or a published list: understand-r1-zero, oat-zero, open-reasoner-zero,"
            " simplerl."
        ),
    ] = "srpo",
    json: Annotated[
        Path | None, typer.Option("--json", help="Write all numbers there, by step and domain.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table so.")] = False,
) -> None:
    """Count rechecks, hesitation, exploration and programs that verify, by rules without a model
    (docs/analysis.md)."""
    from rich.console import Console

    from srpo.report.analysis import analyse, check_place, domain_sheet, sheet, write_numbers
    from srpo.report.sheet import rich_table, table_lines

    if json is not None:
        check_place(json, path)
    found = analyse(path, rules)
    if json is not None:
        write_numbers(json, found)
    sheets = [sheet(found), *domain_sheet(found)]
    if markdown:
        typer.echo("\n".join(line for one in sheets for line in table_lines(one)))
        return
    console = Console(highlight=False)
    for one in sheets:
        console.print(rich_table(one), "")
    if found.words:
        typer.echo("Lengths are in words: the source does not say how many tokens there were.")
