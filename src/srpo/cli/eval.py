"""`srpo eval`: a model on benchmarks, n responses a problem, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from srpo.cli.common import INTERRUPTED, Overrides


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A run's folder, a model's folder, a hub id, nano."),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SET,...",
            help="aime24, livecodebench:2024-08..2025-01, nano:math, heldout, a file, ...",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; default: runs/eval-MODEL.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="A .yaml file of docs/evaluation.md's fields.")
    ] = None,
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Benchmarks' files; default: the hub.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="An OpenAI-compatible server has the model.")
    ] = None,
    regrade: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Judge an evaluation's responses anew.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Compare two evaluations, question by question."),
    ] = None,
) -> None:
    """Evaluate a model: n responses to each problem, with standard errors and intervals. The same
    command goes on where it was stopped."""
    if compare is not None:
        from srpo.report.evaluation.compare import compare_lines

        typer.echo("\n".join(compare_lines(*compare)))
        return
    from srpo.report.phases import PhaseDisplay
    from srpo.run.evaluation import Place, config_of, evaluate

    tree = _tree(recipe, overrides or [])
    if regrade is not None:
        tree = config_of(regrade) | tree
    tree |= {"model": model} if model else {}
    asked = [s.strip() for text in on or [] for s in text.split(",") if s.strip()]
    own = tree.get("sets") or []
    tree["sets"] = [*([own] if isinstance(own, str) else own), *asked]
    place = Place(out or _default(tree, regrade), data, server, regrade)
    with PhaseDisplay("load") as display:
        try:
            evaluate(tree, place, display.phase, display.note)
        except KeyboardInterrupt:
            display.note(f"stopped; the same command goes on from what is in {place.out}")
            raise typer.Exit(INTERRUPTED) from None
    _show(place.out)


def _tree(recipe: Path | None, overrides: list[str]) -> dict[str, Any]:
    from srpo.recipe.evaluation import Evaluation
    from srpo.recipe.load import override, read_tree

    tree = read_tree(recipe) if recipe else {}
    for text in overrides:
        override(tree, text, Evaluation)
    return tree


def _default(tree: dict[str, Any], regrade: Path | None) -> Path:
    if regrade is not None:
        return regrade.with_name(f"{regrade.name}-regraded")
    name = Path(str(tree.get("model") or "served")).name
    return Path("runs") / f"eval-{name}"


def _show(out: Path) -> None:
    """The table, and where the rest is."""
    from rich.console import Console

    from srpo.report.evaluation.write import write_reports
    from srpo.report.sheet import rich_table

    sheet = write_reports(out)
    Console(highlight=False).print(rich_table(sheet), "")
    typer.echo(f"responses: {out / 'responses'}")
    typer.echo(f"report: {out / 'report.html'}")
