"""`srpo compare`: recipes held against each other."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ByChoice(StrEnum):
    """--by's choices."""

    tokens = "tokens"
    steps = "steps"
    seconds = "seconds"


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Run folders, or conditions as NAME=GLOB."),
    ],
    by: Annotated[ByChoice, typer.Option(help="Align runs by this cost.")] = ByChoice.tokens,
    metric: Annotated[
        str, typer.Option(help="pass@1, pass@1/math, or a name of docs/metrics.md.")
    ] = "pass@1",
    target: Annotated[
        float | None,
        typer.Option(help="Cost to this value; default: 0.9 of the best accuracy."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="A condition's name; default: the first one's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write .html, .md or .png.")
    ] = None,
) -> None:
    """Hold recipes against each other over seeds, at equal cost."""
    from rich.console import Console

    from srpo.report.compare.alignment import By
    from srpo.report.compare.compare import compare_runs
    from srpo.report.compare.page import comparison_view, writer

    write = writer(out) if out else None
    comparison = compare_runs(runs, By(by.value), metric, target, baseline)
    Console(highlight=False).print(comparison_view(comparison))
    if write and out:
        write(comparison, out)
        typer.echo(f"comparison: {out}")
