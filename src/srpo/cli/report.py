"""`srpo report`: how a run went."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from srpo.cli.common import RunPath, draw_curves, show_report, write_run_page


class FormatChoice(StrEnum):
    """--format's choices."""

    html = "html"
    md = "md"
    png = "png"


def report(
    run: RunPath,
    form: Annotated[
        FormatChoice | None,
        typer.Option(
            "--format",
            help="Only one: report.html; Markdown to standard output; curves.png."
            " Default: tables here, and both files.",
        ),
    ] = None,
) -> None:
    """Show how a run went: tables, and report.html, also while it trains."""
    from srpo.report.reader import open_run

    opened = open_run(run)
    if form is None:
        show_report(opened)
    elif form is FormatChoice.md:
        from srpo.report.run.markdown import markdown

        typer.echo(markdown(opened), nl=False)
    elif form is FormatChoice.html:
        write_run_page(opened)
    else:
        draw_curves(opened)
