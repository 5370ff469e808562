"""`srpo train`: from a recipe to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from srpo.cli.common import ended


def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A .yaml file, or a name of `srpo recipes`.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. learner.lr=1e-5."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and exit.")
    ] = False,
) -> None:
    """Train from a recipe."""
    from srpo.recipe.load import dump_recipe, load_recipe

    resolved = load_recipe(recipe, overrides)
    if dry_run:
        from srpo.report.plain import one_line
        from srpo.run.guards import check_own
        from srpo.run.preview import ends_of_responses

        check_own(resolved)
        typer.echo(dump_recipe(resolved), nl=False)
        typer.echo(f"# {one_line(ends_of_responses(resolved), 1000)}")
        return
    from srpo.run import session
    from srpo.run.display import open_display

    ended(session.train(resolved, open_display()), Path(resolved.output_dir))
