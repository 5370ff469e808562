"""`srpo doctor`: what this machine has."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    python: Annotated[
        str | None,
        typer.Option(help="As verifier.python: shows what programs can import with it."),
    ] = None,
) -> None:
    """Show what this machine has, and what each lack means."""
    from rich.console import Console

    from srpo.doctor import can_train, examine, findings_table

    findings = examine(python)
    console = Console(highlight=False)
    console.print(findings_table(findings))
    able = can_train(findings)
    console.print(
        "\nTraining can run here." if able else "\nTraining cannot run here: see the rows with ✗."
    )
    raise typer.Exit(0 if able else 1)
