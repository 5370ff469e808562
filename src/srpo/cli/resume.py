"""`srpo resume`: go on with a run."""

from __future__ import annotations

from typing import Annotated

import typer

from srpo.cli.common import RunPath, ended


def resume(
    run: RunPath,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change what may be changed on the way, e.g. max_steps=400.",
        ),
    ] = None,
) -> None:
    """Go on with a run from its last checkpoint."""
    from srpo.report.reader import open_run
    from srpo.run.display import open_display

    open_run(run)  # a wrong folder shall show before seconds of imports
    from srpo.run import session

    ended(session.resume(run, open_display(), overrides), run)
