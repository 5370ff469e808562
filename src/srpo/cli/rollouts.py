"""`srpo rollouts`: what the model wrote."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from srpo.cli.common import RunPath
from srpo.types import Outcome


class OutcomeChoice(StrEnum):
    """--outcome's choices."""

    correct = Outcome.CORRECT
    incorrect = Outcome.INCORRECT
    error = Outcome.ERROR


def rollouts(
    run: RunPath,
    step: Annotated[int | None, typer.Option(help="Only this step.")] = None,
    problem: Annotated[str | None, typer.Option(help="Only the problem with this id.")] = None,
    outcome: Annotated[OutcomeChoice | None, typer.Option(help="Only such responses.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Groups to show.")] = 5,
    responses: Annotated[int, typer.Option(min=1, help="Responses to show of a group.")] = 4,
) -> None:
    """Browse what the model wrote, with verdicts and rewards."""
    from rich.console import Console

    from srpo.report.plain import one_line
    from srpo.report.reader import open_run
    from srpo.report.run.browse import Filter, find_groups, nothing_found, show_group

    console = Console(highlight=False)
    wanted = Filter(step, problem, outcome and outcome.value, domain)
    opened = open_run(run)
    groups = find_groups(opened, wanted)
    shown = 0
    for group in islice(groups, limit):
        console.print(show_group(group, wanted, responses))
        shown += 1
    if not shown:
        console.print(one_line(nothing_found(opened, wanted), 1000), markup=False, soft_wrap=True)
    elif next(groups, None) is not None:
        console.print(f"there are more groups: --limit {2 * limit}", style="dim", markup=False)
