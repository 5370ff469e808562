"""`srpo reproduce`: the paper's comparisons on the scale model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    experiments: Annotated[
        list[str] | None, typer.Argument(metavar="EXPERIMENT...", help="Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Runs and results; continues what is there.")] = Path(
        "runs/reproduce"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="2 seeds, headline pairs, half of the tokens.")
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds of each condition, if not the suite's.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Generated tokens of each run, if not the suite's.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Runs side by side: cores.")] = None,
) -> None:
    """Repeat the paper's comparisons on the scale model, at equal generated tokens."""
    from srpo.reproduce.display import SuiteDisplay
    from srpo.reproduce.results import write_results
    from srpo.reproduce.runner import run_suite
    from srpo.reproduce.suite import choose, trials

    chosen = choose(experiments or [], quick)
    planned = trials(chosen, seeds or (2 if quick else None), quick, tokens)
    with SuiteDisplay() as display:
        run_suite(planned, out, workers or os.cpu_count() or 1, display.update)
    from rich.console import Console

    from srpo.report.compare.page import comparison_view

    console = Console(highlight=False)
    for experiment, comparison in write_results(chosen, planned, out):
        console.print(f"\n{experiment.title}", style="bold", markup=False)
        console.print(comparison_view(comparison))
    typer.echo(f"pages, pictures and tables: {out}")
