"""The command line. Heavy imports stay inside the commands that need them: `--help` is quick."""

from __future__ import annotations

import errno
import io
import os
import shlex
import sys
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srpo import __version__
from srpo.types import Domain, Outcome, SRPOError

if TYPE_CHECKING:
    from srpo.report.run import Run
    from srpo.trainer import RunEnd

BAD_INPUT, INTERRUPTED = 2, 130  # 130 = 128 + SIGINT, as shells have it

# A person can mend these; any other OSError is a bug of ours and keeps its traceback.
THEIRS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train language models to reason in mathematics and code with SRPO.",
)

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder (its output_dir).")]


def main() -> None:
    """The console script: errors that a person can mend are one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # model output may not fit the locale's encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="srpo")
    except SRPOError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in THEIRS:
            raise
        _fail(_disk_error(error))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"srpo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Options that go before a command."""


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A .yaml recipe.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. learner.lr=1e-5."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and exit.")
    ] = False,
) -> None:
    """Train from a recipe."""
    from srpo.config import dump_recipe, load_recipe

    resolved = load_recipe(recipe, overrides)
    if dry_run:
        typer.echo(dump_recipe(resolved), nl=False)
        return
    from srpo.display import open_display
    from srpo.trainer import Trainer

    display = open_display()
    try:
        end = Trainer.start(resolved, display).run()
    finally:
        display.closed()  # gives the terminal back before anything else is printed
    _ended(end, Path(resolved.output_dir))


@app.command()
def resume(run: RunPath) -> None:
    """Go on with a run from its last checkpoint."""
    from srpo.display import open_display
    from srpo.report.run import open_run

    open_run(run)  # a wrong folder shall show before seconds of imports
    from srpo.trainer import Trainer

    display = open_display()
    try:
        end = Trainer.resume(run, display).run()
    finally:
        display.closed()
    _ended(end, run)


class FormatChoice(StrEnum):
    """--format's choices."""

    html = "html"
    md = "md"
    png = "png"


@app.command()
def report(
    run: RunPath,
    form: Annotated[
        FormatChoice | None,
        typer.Option(
            "--format",
            help="Only one: report.html; Markdown to standard output; curves.png."
            " Default: tables here, and both files.",
        ),
    ] = None,
) -> None:
    """Show how a run went: tables, and report.html, also while it trains."""
    from srpo.report.run import open_run

    opened = open_run(run)
    if form is None:
        _report(opened)
    elif form is FormatChoice.md:
        from srpo.report.markdown import markdown

        typer.echo(markdown(opened), nl=False)
    elif form is FormatChoice.html:
        _write_page(opened)
    else:
        _draw_curves(opened)


class ByChoice(StrEnum):
    """--by's choices."""

    tokens = "tokens"
    steps = "steps"
    seconds = "seconds"


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Run folders, or conditions as NAME=GLOB."),
    ],
    by: Annotated[ByChoice, typer.Option(help="Align runs by this cost.")] = ByChoice.tokens,
    metric: Annotated[
        str, typer.Option(help="pass@1, pass@1/math, or a name of docs/metrics.md.")
    ] = "pass@1",
    target: Annotated[
        float | None,
        typer.Option(help="Cost to this value; default: 0.9 of the best accuracy."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="A condition's name; default: the first one's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write .html, .md or .png.")
    ] = None,
) -> None:
    """Hold recipes against each other over seeds, at equal cost."""
    from rich.console import Console

    from srpo.report.alignment import By
    from srpo.report.compare import compare_runs
    from srpo.report.compare_page import comparison_view, writer

    write = writer(out) if out else None
    comparison = compare_runs(runs, By(by.value), metric, target, baseline)
    Console(highlight=False).print(comparison_view(comparison))
    if write and out:
        write(comparison, out)
        typer.echo(f"comparison: {out}")


class OutcomeChoice(StrEnum):
    """--outcome's choices."""

    correct = Outcome.CORRECT
    incorrect = Outcome.INCORRECT
    error = Outcome.ERROR


class DomainChoice(StrEnum):
    """--domain's choices."""

    math = Domain.MATH
    code = Domain.CODE


@app.command()
def rollouts(
    run: RunPath,
    step: Annotated[int | None, typer.Option(help="Only this step.")] = None,
    problem: Annotated[str | None, typer.Option(help="Only the problem with this id.")] = None,
    outcome: Annotated[OutcomeChoice | None, typer.Option(help="Only such responses.")] = None,
    domain: Annotated[DomainChoice | None, typer.Option(help="Only this domain.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Groups to show.")] = 5,
    responses: Annotated[int, typer.Option(min=1, help="Responses to show of a group.")] = 4,
) -> None:
    """Browse what the model wrote, with verdicts and rewards."""
    from rich.console import Console

    from srpo.report.browse import Filter, find_groups, show_group
    from srpo.report.run import open_run

    console = Console(highlight=False)
    wanted = Filter(step, problem, outcome and outcome.value, domain and domain.value)
    groups = find_groups(open_run(run), wanted)
    shown = 0
    for group in islice(groups, limit):
        console.print(show_group(group, wanted, responses))
        shown += 1
    if not shown:
        console.print("no group matches", markup=False)
    elif next(groups, None) is not None:
        console.print(f"there are more groups: --limit {2 * limit}", style="dim", markup=False)


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="Problems and responses.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; else standard output.")] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Grade as this recipe's reward and verifier say.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one for each core.")] = None,
    sandbox: Annotated[
        str | None, typer.Option(help="sandlock, bubblewrap, unsafe-subprocess; default: safest.")
    ] = None,
) -> None:
    """Grade a model's answers, with the code that training runs."""
    from srpo.config import RewardConfig, VerifierConfig, load_recipe, parse_section
    from srpo.display import GradingDisplay
    from srpo.grade_file import grade_file

    given = load_recipe(recipe) if recipe else None
    chosen = {"workers": workers, "sandbox": sandbox}
    base = (given.verifier if given else VerifierConfig()).model_dump()
    verifier = parse_section(
        VerifierConfig, base | {k: v for k, v in chosen.items() if v is not None}, "verifier"
    )
    part = out.with_name(out.name + ".part") if out else None
    stream = part.open("w", encoding="utf-8") if part else sys.stdout
    display = GradingDisplay()
    try:
        with display:
            rewards = given.reward if given else RewardConfig()
            tally = grade_file(file, stream, verifier, rewards, display.update)
    finally:
        if part:
            stream.close()
    if part and out:
        part.replace(out)
    display.summary(tally.counts)
    raise typer.Exit(1 if tally.errors else 0)


@app.command()
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
    from srpo.display import SuiteDisplay
    from srpo.reproduce.results import write_results
    from srpo.reproduce.runner import run_suite
    from srpo.reproduce.suite import choose, jobs

    chosen = choose(experiments or [], quick)
    planned = jobs(chosen, seeds or (2 if quick else None), quick, tokens)
    with SuiteDisplay() as display:
        run_suite(planned, out, workers or os.cpu_count() or 1, display.update)
    from rich.console import Console

    from srpo.report.compare_page import comparison_view

    console = Console(highlight=False)
    for experiment, comparison in write_results(chosen, planned, out):
        console.print(f"\n{experiment.title}", style="bold", markup=False)
        console.print(comparison_view(comparison))
    typer.echo(f"pages, pictures and tables: {out}")


@app.command()
def doctor() -> None:
    """Show what this machine has, and what each lack means."""
    from rich.console import Console

    from srpo.doctor import can_train, examine, findings_table

    findings = examine()
    console = Console(highlight=False)
    console.print(findings_table(findings))
    able = can_train(findings)
    console.print(
        "\nTraining can run here." if able else "\nTraining cannot run here: see the rows with ✗."
    )
    raise typer.Exit(0 if able else 1)


def _ended(end: RunEnd, run: Path) -> None:
    """Show what came of a run; a stop by a signal exits as shells expect it."""
    from srpo.report.run import open_run

    if end.finished:
        typer.echo(f"finished: {end.reason}")
        _report(open_run(run))
        return
    hint = f"srpo resume {shlex.quote(str(run))}"
    why = "" if end.signal is not None else f" ({end.reason})"
    typer.echo(f"stopped after step {end.step} (checkpoint saved){why}; go on with: {hint}")
    raise typer.Exit(1 if end.signal is None else 128 + end.signal)


def _report(run: Run) -> None:
    from rich.console import Console

    from srpo.report.tables import epoch_table, eval_table, totals_table

    console = Console(highlight=False)
    evals, ledger = run.evals(), run.ledger()
    console.print(totals_table(run), "")
    if ledger is not None:
        console.print(epoch_table(ledger), "")
    if evals:
        console.print(eval_table(evals), "")
    _draw_curves(run)
    _write_page(run)


def _draw_curves(run: Run) -> None:
    from srpo.report.figures import write_curves

    typer.echo(f"curves: {write_curves(run.path)}")


def _write_page(run: Run) -> None:
    from srpo.report.html import write_page

    typer.echo(f"report: {write_page(run.path)}")


def _fail(text: str) -> None:
    """One line on standard error; newlines inside would make it several."""
    from srpo.report.plain import one_line

    print(f"srpo: {one_line(text, 4000)}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def _disk_error(error: OSError) -> str:
    fix = {
        errno.ENOSPC: "free some space",
        errno.EDQUOT: "free some space",
    }.get(error.errno or 0, "choose a place that you can write to")
    return f"{error.filename or 'output'}: {error.strerror}; {fix}"


if __name__ == "__main__":
    main()
