"""`srpo release`: a run's model as a folder that others can use."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from srpo.cli.common import RunPath
from srpo.types import UserError


class DtypeChoice(StrEnum):
    """--dtype's choices."""

    float32 = "float32"
    bfloat16 = "bfloat16"


def release(
    run: RunPath,
    to: Annotated[Path, typer.Option(metavar="DIR", help="A folder that is not there, or empty.")],
    dtype: Annotated[
        DtypeChoice | None, typer.Option(help="Of the weights. Default: as the run saved them.")
    ] = None,
    shard_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most bytes a file of weights, as 5GB.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier release in DIR.")
    ] = False,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Upload DIR to the hub as this model, private."),
    ] = None,
) -> None:
    """Release a run's model: weights, the training's prompt as chat template, its sampling and
    stops, a model card, checksums. See docs/release.md."""
    from srpo.release.release import Weights
    from srpo.release.release import release as write

    if push is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", push):
        raise UserError(f"--push {push!r}: give OWNER/NAME, as the hub has it")
    weights = Weights(dtype and dtype.value, shard_size)
    out = write(run, to, weights, overwrite, lambda text: typer.echo(text, err=True))
    typer.echo(f"released: {out}")
    if push is not None:
        from srpo.report.push import upload

        typer.echo(f"pushed: {upload(out, push, 'model')}")
