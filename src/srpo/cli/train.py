"""`srpo train`: from a recipe to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from srpo.cli.common import Overrides, ended
from srpo.types import UserError


def train(
    recipe: Annotated[
        Path | None,
        typer.Argument(metavar="RECIPE", help="A .yaml file, or a name of `srpo recipes`."),
    ] = None,
    overrides: Overrides = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Start with the weights of a run; RECIPE is then by default that run's own.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and exit.")
    ] = False,
) -> None:
    """Train from a recipe."""
    from srpo.recipe.load import dump_recipe, load_recipe

    if start is not None:
        from srpo.run.anew import recipe_from

        resolved = recipe_from(start, recipe, overrides)
    elif recipe is not None:
        resolved = load_recipe(recipe, overrides)
    else:
        raise UserError("RECIPE: give one, a .yaml file or a name of `srpo recipes`; or --from RUN")
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
