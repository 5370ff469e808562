"""`srpo grade`: a model's answers, graded."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer


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
    from srpo.files import replacing
    from srpo.grading.display import GradingDisplay
    from srpo.grading.files import grade_file
    from srpo.recipe.load import load_recipe, parse_section
    from srpo.recipe.schema import RewardConfig, VerifierConfig

    given = load_recipe(recipe) if recipe else None
    chosen = {"workers": workers, "sandbox": sandbox}
    base = (given.verifier if given else VerifierConfig()).model_dump()
    verifier = parse_section(
        VerifierConfig, base | {k: v for k, v in chosen.items() if v is not None}, "verifier"
    )
    display = GradingDisplay()
    with ExitStack() as stack:
        stream = sys.stdout
        if out:
            unfinished = stack.enter_context(replacing(out))
            stream = stack.enter_context(unfinished.open("w", encoding="utf-8"))
        stack.enter_context(display)
        rewards = given.reward if given else RewardConfig()
        tally = grade_file(file, stream, verifier, rewards, display.update)
    display.summary(tally.counts)
    raise typer.Exit(1 if tally.errors else 0)
