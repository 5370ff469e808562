"""`srpo init`: a recipe for one's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from srpo.types import UserError

Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="Where it is not recognised.")]


def init(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA...", help=".jsonl or .parquet files; test, eval, dev ... are held out."
        ),
    ],
    model: Annotated[str, typer.Option(help="nano, a model's folder or a hub id.")] = "nano",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write.")] = Path("mine.yaml"),
    overwrite: Annotated[bool, typer.Option(help="Replace the file that --out names.")] = False,
    prompt: Column = None,
    answer: Column = None,
    tests: Column = None,
) -> None:
    """Write a first recipe for your own data; its columns are recognised."""
    if out.exists() and not overwrite:
        raise UserError(f"--out: {str(out)!r} is there already; choose another, or --overwrite")
    from srpo.recipe.load import load_recipe
    from srpo.run.draft import draft, read_file

    chosen = {"prompt": prompt, "answer": answer, "tests": tests}
    files = [read_file(path, chosen) for path in data]
    name = out.stem if out.stem != "recipe" else data[0].stem
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(draft(files, model, name), encoding="utf-8")
    load_recipe(out)
    for found in files:
        typer.echo(f"{found.source.path}: {found.rows} problems, {found.source.domain}")
    typer.echo(f"recipe: {out}; look at it with: srpo check {out} --sample 4")
