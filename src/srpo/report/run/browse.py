"""`srpo rollouts`: look at what the model wrote and what our verdict on it was."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from srpo.report.plain import one_line, printable
from srpo.report.reader import Record, Run, read_groups
from srpo.report.run.behaviours import marks_of
from srpo.types import FinishReason, Outcome, UserError

STYLES = {Outcome.CORRECT: "green", Outcome.INCORRECT: "red", Outcome.ERROR: "magenta"}


@dataclass(frozen=True)
class Filter:
    """Which groups to show; None leaves a field open."""

    step: int | None = None
    problem: str | None = None
    outcome: str | None = None
    domain: str | None = None

    def keeps(self, group: Record) -> bool:
        return (
            (self.problem is None or group["problem_id"] == self.problem)
            and (self.domain is None or group["domain"] == self.domain)
            and (self.outcome is None or bool(self.rollouts(group)))
        )

    def rollouts(self, group: Record) -> list[Record]:
        """The group's rollouts that have the outcome asked for."""
        every = group["rollouts"]
        return [r for r in every if self.outcome is None or r["outcome"] == self.outcome]


def find_groups(run: Run, wanted: Filter) -> Iterator[Record]:
    """The groups that pass the filter, in the order of training. Raises UserError."""
    files = run.files.rollout_files()
    if not files:
        raise UserError(
            f"{str(run.path)!r} has no rollouts: no step is done yet, or the run had"
            " log.rollouts false; train with log.rollouts true to browse them"
        )
    if wanted.step is not None:
        if wanted.step not in files:
            raise UserError(
                f"--step {wanted.step}: no rollouts of that step; the run has steps"
                f" {min(files)} to {max(files)}"
            )
        files = {wanted.step: files[wanted.step]}
    for file in files.values():
        yield from (group for group in read_groups(file) if wanted.keeps(group))


def nothing_found(run: Run, wanted: Filter) -> str:
    """What to ask for instead, in a line: problems by their ids."""
    if wanted.problem is None:
        return "no group matches"
    files = run.files.rollout_files().values()
    ids = list(dict.fromkeys(str(g["problem_id"]) for file in files for g in read_groups(file)))
    if wanted.problem in ids:
        return f"no group of {wanted.problem!r} matches the other options; leave some out"
    close = difflib.get_close_matches(wanted.problem, ids, n=3, cutoff=0.6)
    some = f"did you mean {', '.join(close)}?" if close else f"for example {', '.join(ids[:5])}"
    return (
        f"no group matches: none is of {wanted.problem!r}; {len(ids)} problems were asked, {some}"
    )


def show_group(group: Record, wanted: Filter, responses: int) -> RenderableType:
    """The question, then up to `responses` responses with verdict and reward."""
    shown = wanted.rollouts(group)
    parts: list[RenderableType] = [Rule(_title(group), style="dim", align="left"), Text()]
    parts.append(Padding(Text(printable(group["prompt"]), style="bold"), (0, 0, 1, 2)))
    for number, rollout in enumerate(shown[:responses], 1):
        parts.append(_headline(number, rollout))
        parts.append(Padding(_marked(printable(rollout["text"])), (0, 0, 1, 4)))
    if len(shown) > responses:
        more = f"{len(shown) - responses} more responses: --responses {len(shown)}"
        parts.append(Text(more, style="dim"))
    return Lines(*parts)


def _marked(text: str) -> Text:
    """With the sentences underlined that show a reasoning behaviour (docs/analysis.md)."""
    found = Text(text)
    for mark in marks_of(text):
        found.stylize("underline", mark.start, mark.end)
    return found


def _title(group: Record) -> Text:
    right = sum(r["outcome"] == Outcome.CORRECT for r in group["rollouts"])
    place = f"step {group['step']} · {group['stage']} · epoch {group['epoch']} · {group['domain']}"
    text = f"{place} · {group['problem_id']} · {right} of {len(group['rollouts'])} correct"
    return Text(one_line(text, 200))


def _headline(number: int, rollout: Record) -> Text:
    """`#1 correct · 39 tokens · answer 12`, below it the reward, and why the verdict is so."""
    line = Text(f"#{number} ", style="dim")
    line.append(one_line(str(rollout["outcome"]), 20), style=_style(rollout["outcome"]))
    cut = " (cut)" if rollout.get("finish_reason") == FinishReason.LENGTH else ""
    line.append(f" · {_length(rollout)} tokens{cut}", style="dim")
    if rollout.get("answer") is not None:
        line.append(f" · answer {one_line(str(rollout['answer']), 60)}", style="dim")
    line.append(f"\n   {_reward(rollout.get('reward'))}", style="dim")
    if rollout.get("detail"):
        line.append(f" · {one_line(str(rollout['detail']), 300)}", style="italic dim")
    return line


def _length(rollout: Record) -> int:
    """A count, or the tokens themselves."""
    tokens = rollout["tokens"]
    return tokens if isinstance(tokens, int) else len(tokens)


def _reward(reward: Record | None) -> str:
    if reward is None:
        return "no reward"
    parts = ", ".join(f"{n} {reward[n]:g}" for n in ("accuracy", "format", "language"))
    return f"reward {reward['total']:.3g} ({parts})"


def _style(outcome: str) -> str:
    try:
        return STYLES[Outcome(outcome)]
    except ValueError:
        return ""
