"""`srpo curate`: from raw data sets to verified, rated problems."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srpo.cli.common import INTERRUPTED

if TYPE_CHECKING:
    from srpo.recipe.curation import Curation
    from srpo.report.phases import PhaseDisplay


def curate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Raw data sets: files, folders, hub ids as owner/name:config:split.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for data, report and card.")
    ] = Path("curated"),
    recipe: Annotated[
        Path | None, typer.Option(help="A .yaml file of docs/curation.md's fields.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="An evaluation set whose problems are dropped."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="Tell one row's story, and do nothing else.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(metavar="NAME", help="Upload DIR to the hub as this data set.")
    ] = None,
) -> None:
    """Curate raw data sets: clean, filter, verify, rate; every row's fate is on record. The same
    command goes on where it was stopped."""
    if explain is not None:
        from srpo.report.curation.story import story

        typer.echo(story(out, explain))
        return
    from srpo.report.phases import PhaseDisplay

    config = _config(recipe, sources or [], against or [])
    if push is not None and not config.sources:
        _push(out, push)
        return
    with PhaseDisplay("read") as display:
        try:
            unreadable = _curated(config, out, display)
        except KeyboardInterrupt:
            display.note(f"stopped; the same command goes on from what is in {out}/.curate")
            raise typer.Exit(INTERRUPTED) from None
    if push is not None:
        _push(out, push)
    raise typer.Exit(1 if unreadable else 0)


def _config(recipe: Path | None, sources: list[str], against: list[str]) -> Curation:
    """The recipe's, with the sets of the command line after its own."""
    from srpo.recipe.curation import Curation
    from srpo.recipe.load import parse_section, read_tree

    tree = read_tree(recipe) if recipe else {}
    config = parse_section(Curation, tree, f"recipe {recipe}").model_dump(mode="json")
    config["sources"] += [{"path": path} for path in sources]
    config["decontaminate"] += [{"path": path} for path in against]
    return parse_section(Curation, config, "srpo curate")


def _curated(config: Curation, out: Path, display: PhaseDisplay) -> int:
    """Curate, write the reports, and say what came of it. How many rows could not be read."""
    from srpo.data.curate.pipeline import curate as run
    from srpo.report.curation.write import write_reports

    done = run(config, out, _rate, display.phase)
    summary = write_reports(done, config, shlex.join(["srpo", *sys.argv[1:]]))
    done.finished()
    display.phase("done", 0, 0)
    for stage, gone, left in summary.funnel():
        if gone:
            display.note(f"{stage:14} {gone:>9,} dropped, {left:>9,} left")
    unreadable = summary.reasons.get("unreadable")
    typer.echo(f"kept {summary.kept:,} of {summary.rows:,} rows: {done.train}")
    typer.echo(f"report: {out / 'report.html'}")
    for example in unreadable.examples if unreadable else ():
        typer.echo(f"unreadable: {example.evidence}", err=True)
    if unreadable and (more := unreadable.count - len(unreadable.examples)):
        typer.echo(f"and {more:,} more, see dropped.parquet", err=True)
    return unreadable.count if unreadable else 0


def _rate(*given: Any) -> None:
    """Few curations need what loads a model."""
    from srpo.run.rating import rate

    rate(*given)


def _push(out: Path, name: str) -> None:
    from srpo.report.curation.push import push

    typer.echo(f"pushed: {push(out, name)}")
