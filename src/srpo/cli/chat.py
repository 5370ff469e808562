"""`srpo chat`: ask a model something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from srpo.types import UserError

if TYPE_CHECKING:
    from srpo.run.chat import Chat
    from srpo.types import Problem


def chat(
    target: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="A run's folder, a model's, nano, a hub id.")
    ],
    problem: Annotated[
        str | None, typer.Option(metavar="ID", help="A problem of the run's data.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="TEXT", help="One question; else standard input.")
    ] = None,
) -> None:
    """Ask a model as its training asks it: prompt, sampling, and the verdict where there is one."""
    if problem is not None and prompt is not None:
        raise UserError("--problem and --prompt: give one of them")
    typed = problem is None and prompt is None
    one = sys.stdin.read() if typed and not sys.stdin.isatty() else prompt
    if one is not None and not one.strip():
        raise UserError(
            "--prompt: there is no question; give some text, there or on standard input"
        )
    from srpo.run.chat import open_chat

    with open_chat(target) as opened:
        if problem is not None:
            asked = opened.problem(problem)
            _show_prompt(asked)
            _answer(opened, asked)
        elif one is not None:
            _answer(opened, opened.question(one))
        else:
            _talk(opened)


def _talk(opened: Chat) -> None:
    """Until the end of the input. Each question stands alone: so is the model trained."""
    typer.echo("Each question stands alone; an empty line ends.")
    while True:
        try:
            text = input("> ")
        except EOFError:
            return
        if not text.strip():
            return
        try:
            _answer(opened, opened.question(text))
        except UserError as error:
            typer.echo(f"srpo: {error}", err=True)


def _show_prompt(problem: Problem) -> None:
    from srpo.report.plain import printable

    typer.echo(f"{printable(problem.prompt)}\n")


def _answer(opened: Chat, problem: Problem) -> None:
    from srpo.report.plain import one_line, printable
    from srpo.types import FinishReason

    rollout = opened.ask(problem)
    typer.echo(printable(rollout.text))
    cut = ", cut" if rollout.finish_reason is FinishReason.LENGTH else ""
    told = f"{len(rollout.token_ids)} tokens{cut}"
    if (verdict := rollout.verdict) is not None:
        reward = f", reward {rollout.reward.total:.3g}" if rollout.reward else ""
        why = f" · {verdict.detail}" if verdict.detail else ""
        told = f"{problem.id}: {verdict.outcome}{reward} · {told}{why}"
    typer.echo(f"[{one_line(told, 500)}]", err=True)
