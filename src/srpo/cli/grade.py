"""`srpo grade`: a model's answers, graded."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srpo.cli.common import INTERRUPTED

if TYPE_CHECKING:
    from srpo.recipe.schema import RewardConfig, VerifierConfig


def grade(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.jsonl", help="Problems and responses, or .jsonl.gz; - is standard input."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Where to write; else standard output.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the file that --out names.")] = False,
    recipe: Annotated[
        Path | None, typer.Option(help="Grade as this recipe's reward and verifier say.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one for each core.")] = None,
    sandbox: Annotated[
        str | None, typer.Option(help="sandlock, bubblewrap, unsafe-subprocess; default: safest.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="What runs programs, with its packages; default: ours alone.")
    ] = None,
    prose: Annotated[
        bool | None, typer.Option("--prose", help="Take answers without a mark: `42` alone.")
    ] = None,
) -> None:
    """Grade a model's answers, with the code that training runs. The same command goes on where it
    was stopped."""
    from srpo.grading.display import GradingDisplay
    from srpo.grading.files import AnswerFile, Output, grade_file

    chosen = {"workers": workers, "sandbox": sandbox, "python": python, "prose": prose}
    verifier, rewards = _settings(recipe, chosen)
    display = GradingDisplay()
    with ExitStack() as stack:
        output = stack.enter_context(Output(out, file, overwrite)) if out else None
        source = stack.enter_context(AnswerFile(file))
        stack.enter_context(display)
        try:
            tally = grade_file(source, output, verifier, rewards, display.update, display.note)
        except KeyboardInterrupt:
            if output is not None and output.partial is not None and output.partial.exists():
                kept = f"{output.partial} has what is graded; the same command goes on from there"
                display.note(f"stopped: {kept}")
            raise typer.Exit(INTERRUPTED) from None
    display.summary(tally.counts, tally.first_errors)
    raise typer.Exit(1 if tally.errors else 0)


def _settings(
    recipe: Path | None, chosen: dict[str, object]
) -> tuple[VerifierConfig, RewardConfig]:
    """What the recipe says, and the options over it."""
    from srpo.recipe.load import load_recipe, parse_section
    from srpo.recipe.schema import RewardConfig, VerifierConfig

    given = load_recipe(recipe) if recipe else None
    base = (given.verifier if given else VerifierConfig()).model_dump()
    verifier = parse_section(
        VerifierConfig, base | {k: v for k, v in chosen.items() if v is not None}, "verifier"
    )
    return verifier, given.reward if given else RewardConfig()
