"""`srpo recipes`: the recipes that are shipped."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.callback(invoke_without_command=True)
def recipes(context: typer.Context) -> None:
    """List the shipped recipes; `srpo train` takes them by name."""
    if context.invoked_subcommand is not None:
        return
    from srpo.recipe.library import shipped, summary

    found = shipped()
    width = max(map(len, found))
    for name, recipe in found.items():
        typer.echo(f"{name:{width}}  {summary(recipe)}")


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="Of a shipped recipe.")]) -> None:
    """Print one, to start your own from: `srpo recipes show nano > mine.yaml`."""
    from srpo.recipe.library import shipped
    from srpo.types import UserError

    found = shipped()
    if name not in found:
        raise UserError(f"recipes: none is named {name!r}; the shipped ones: {', '.join(found)}")
    typer.echo(found[name].read_text(encoding="utf-8"), nl=False)
