"""The command line, a file a command. Heavy imports stay inside the functions that need them, so
that `--help` is quick."""

from __future__ import annotations

import errno
import io
import sys
from typing import Annotated

import typer

from srpo import __version__
from srpo.cli import (
    analyze,
    chat,
    check,
    compare,
    curate,
    doctor,
    eval,
    grade,
    init,
    plan,
    recipes,
    release,
    report,
    reproduce,
    resume,
    rollouts,
    train,
)
from srpo.cli.common import BAD_INPUT, INTERRUPTED
from srpo.cli.threads import wait_politely
from srpo.types import SRPOError

# A person can mend these; any other OSError is a bug of ours and keeps its traceback.
THEIRS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}
THEIRS |= {errno.EISDIR}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train language models to reason in mathematics and code with SRPO.",
)
app.add_typer(recipes.app, name="recipes")
for command in (
    init.init,
    check.check,
    plan.plan,
    train.train,
    resume.resume,
    report.report,
    release.release,
    rollouts.rollouts,
    chat.chat,
    compare.compare,
    reproduce.reproduce,
    analyze.analyze,
    grade.grade,
    curate.curate,
    doctor.doctor,
):
    app.command()(command)
app.command("eval")(eval.evaluate)


def main() -> None:
    """The console script: errors that a person can mend are one line and exit code 2."""
    wait_politely()
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
