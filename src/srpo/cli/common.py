"""What commands share: their arguments, and how a run is shown."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from srpo.report.reader import Run
    from srpo.run.session import RunEnd

BAD_INPUT, INTERRUPTED = 2, 130  # 130 = 128 + SIGINT, as shells have it

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder (its output_dir).")]

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. learner.lr=1e-5."),
]


def ended(end: RunEnd, run: Path) -> None:
    """Show what came of a run; a stop by a signal exits as shells expect it."""
    from srpo.diagnosis import nothing_learnt
    from srpo.report.reader import open_run

    if end.finished:
        typer.echo(f"finished: {end.reason}")
        opened = open_run(run)
        show_report(opened)
        if why := nothing_learnt(opened.metrics()):
            typer.echo(f"NOTHING WAS LEARNT. {why}. model/ is the model as it was.")
        return
    hint = f"srpo resume {shlex.quote(str(run))}"
    why = "" if end.signal is not None else f" ({end.reason})"
    typer.echo(f"stopped after step {end.step} (checkpoint saved){why}; go on with: {hint}")
    raise typer.Exit(1 if end.signal is None else 128 + end.signal)


def show_report(run: Run) -> None:
    """Print a run's tables, and write its page and curves."""
    from rich.console import Console

    from srpo.report.run.epochs import epochs
    from srpo.report.run.tables import epoch_sheet, eval_table, totals_sheet
    from srpo.report.sheet import rich_table

    console = Console(highlight=False)
    evals, ledger = run.evals(), run.ledger()
    console.print(rich_table(totals_sheet(run)), "")
    if ledger is not None:
        console.print(rich_table(epoch_sheet(epochs(ledger))), "")
    if evals:
        console.print(eval_table(evals), "")
    draw_curves(run)
    write_run_page(run)


def draw_curves(run: Run) -> None:
    """Write curves.png, and say where it is."""
    from srpo.report.run.page import write_curves

    typer.echo(f"curves: {write_curves(run.path)}")


def write_run_page(run: Run) -> None:
    """Write report.html, and say where it is."""
    from srpo.report.run.page import write_page

    typer.echo(f"report: {write_page(run.path)}")
