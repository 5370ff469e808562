"""What a person sees while a run trains: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.console import Group as Lines
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from srpo.metrics import Row
from srpo.observer import Observer
from srpo.recipe.schema import Recipe
from srpo.report.pace import Pace
from srpo.report.plain import one_line, printable
from srpo.report.reader import domains
from srpo.report.run.tables import summary_lines
from srpo.types import Group

BARS = "▁▂▃▄▅▆▇█"
TREND = 32  # characters of a sparkline, at most
FRAME = 4  # lines of the panel that are always there: its border and the two bars
NARROW = 58  # below it there is no room for trends
WIDE, TALL = 100, 24  # from here on there is room for a sample answer

# What the panel shows of a step: metric, name for people, format, whether it has a trend.
# {domain}: a line for each that the run has. The first ones stay where there is little room.
SHOWN = (
    ("accuracy/{domain}", "{domain} accuracy", "{:.1%}", True),
    ("length/{domain}", "{domain} length", "{:.1f}", True),
    ("groups/informative", "informative", "{:.0%}", True),
    ("reward/mean", "reward", "{:.3f}", True),
    ("tokens/s", "tokens/s", "{:,.0f}", False),
    ("errors", "verifier errors", "{:,}", False),
    ("pool/size", "prompts in epoch", "{:,.0f}", True),
    ("truncated", "truncated", "{:.1%}", True),
    ("entropy", "entropy", "{:.3f}", True),
)


Shown = tuple[str, str, str, bool]


def open_display() -> Observer:
    """The live panel when standard output is a terminal that can redraw, else plain lines."""
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveDisplay(console)
    return LineDisplay()


class LineDisplay(Observer):
    """One line a step: for logs, pipes and CI."""

    def __init__(self) -> None:
        self._pace = Pace()

    def started(self, recipe: Recipe, run: Path, resumed_at: int) -> None:
        self._pace = Pace(recipe.max_steps, recipe.max_tokens, resumed_at)
        after = f", after step {resumed_at}" if resumed_at else ""
        budget = f" or {recipe.max_tokens:,} tokens" if recipe.max_tokens else ""
        self.message(f"run {run}: {recipe.max_steps} steps{budget}{after}")

    def step(self, row: Row) -> None:
        self._pace.observe(row)
        self.message(step_line(row, self._pace))

    def stage(self, name: str, reason: str) -> None:
        self.message(f"{name}: {reason}")

    def evaluated(self, point: str, results: dict[str, Any]) -> None:
        self.message(f"evaluated {point}: {summary_lines(results)}")

    def message(self, text: str) -> None:
        # Flushed, since whoever follows a log wants to see the step that is just over.
        print(one_line(text, 2000), file=sys.stdout, flush=True)


def step_line(row: Row, pace: Pace) -> str:
    """`step 34/110 stage1 epoch 2 | reward 0.451 | math 51.0% 39.2 tokens | ... | eta 4m10s`."""
    parts = [f"step {row['step']}/{pace.max_steps} {row['stage']} epoch {row['epoch']}"]
    parts += _present(row, "reward {:.3f}", "reward/mean")
    for domain in domains([row], []):
        accuracy = _present(row, "{:.1%}", f"accuracy/{domain}")
        length = _present(row, "{:.1f} tokens", f"length/{domain}")
        parts += [" ".join([domain, *accuracy, *length])] if accuracy or length else []
    parts += _present(row, "informative {:.0%}", "groups/informative")
    parts += _present(row, "prompts {:,}", "pool/size")
    parts += _present(row, "errors {}", "errors") if row.get("errors") else []
    parts += _present(row, "{:,.0f} tokens/s", "tokens/s")
    return " | ".join([*parts, f"eta {pace.eta}"])


class LiveDisplay(Observer):
    """A panel that is redrawn in place: where the run is, its evaluations, its trends, its last
    messages, and on a large terminal an answer. What there is no room for is left out."""

    def __init__(self, console: Console | None = None):
        self._pace = Pace()
        self._title = "srpo"
        self._place = "loading"
        self._phase = ("", 0, 0)
        self._row: Row = {}
        self._trends: defaultdict[str, list[float]] = defaultdict(list)
        self._evals: list[dict[str, Any]] = []
        self._sample: tuple[str, str, str] | None = None  # question, answer, verdict
        self._messages: deque[Text] = deque(maxlen=6)
        # Live redraws from a thread of its own: callbacks only leave values for it to find.
        self._live = Live(
            console=console or Console(), get_renderable=lambda: self, refresh_per_second=4
        )
        self._live.start()

    def started(self, recipe: Recipe, run: Path, resumed_at: int) -> None:
        self._title = f"srpo · {one_line(str(run), 60)}"
        self._pace = Pace(recipe.max_steps, recipe.max_tokens, resumed_at)
        self._phase = ("", 0, 0)
        if resumed_at:
            self.message(f"resumed after step {resumed_at}")

    def phase(self, name: str, done: int, total: int) -> None:
        self._phase = (name, done, total)

    def groups(self, groups: Sequence[Group]) -> None:
        group = next((g for g in groups if g.rollouts), None)
        if group is not None:
            rollout = group.rollouts[0]
            verdict = str(rollout.verdict.outcome) if rollout.verdict else "not judged"
            self._sample = group.problem.prompt[-2000:], rollout.text[-2000:], verdict

    def step(self, row: Row) -> None:
        self._pace.observe(row)
        self._place = f"{row['stage']} · epoch {row['epoch']}"
        self._row = row
        for name, *_ in _shown(row):
            self._trends[name].append(float(row[name]))

    def stage(self, name: str, reason: str) -> None:
        self._place = name
        self.message(f"{name}: {reason}")

    def evaluated(self, point: str, results: dict[str, Any]) -> None:
        self._evals = [*self._evals[:1], {**results, "point": point}]  # the first and the last

    def message(self, text: str) -> None:
        line = Text(time.strftime("%H:%M:%S "), style="dim")
        self._messages.append(line.append(one_line(text, 300), style="not dim"))

    def closed(self) -> None:
        self._phase = ("", 0, 0)
        self._live.stop()  # draws the last state, which stays; harmless when stopped before

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.render(options.max_width, console.height)

    def render(self, width: int, height: int) -> RenderableType:
        """The panel as it stands, at most `height` lines. Text objects only: no markup of
        anybody's is read."""
        parts: list[RenderableType] = [self._bars(width)]
        room = height - FRAME - 1  # a terminal scrolls at its last line
        if self._evals:
            parts.append(self._evaluations())
            room -= len(self._evals)
        kept = min(len(self._messages), max(room - 6, 1 if room > 0 else 0))
        numbers = _shown(self._row)[: max(room - kept, 0)]
        room -= kept + len(numbers)
        parts += [self._numbers(numbers, width)] if numbers else []
        if self._sample and room >= 3 and width >= WIDE and height >= TALL:
            parts += self._answer(width, room)
        parts += [_cut(line, width) for line in list(self._messages)[len(self._messages) - kept :]]
        return Panel(Lines(*parts), title=Text(self._title, style="bold"), title_align="left")

    def _bars(self, width: int) -> Table:
        """The run's progress, and below it the step's."""
        name, done, total = self._phase
        p = self._pace
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        long = max(min(30, width - 46), 4)
        grid.add_row(
            Text(self._place, style="bold cyan"),
            ProgressBar(total=max(p.max_steps, 1), completed=p.step, width=long),
            Text(f"step {p.step}/{p.max_steps} · {p.eta} left" if p.max_steps else ""),
        )
        grid.add_row(
            Text(name or "idle", style="dim"),
            ProgressBar(total=max(total, 1), completed=done, width=long),
            Text(f"{done}/{total}" if total else "", style="dim"),
        )
        return grid

    def _evaluations(self) -> Table:
        """pass@1 of the first evaluation and of the last, a line each."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        for _ in domains([], self._evals):
            grid.add_column(no_wrap=True)
        for line in self._evals:
            cells = [f"held-out, {line['point']}"]
            for domain in domains([], [line]):
                if (value := (line.get(domain) or {}).get("pass@1")) is not None:
                    cells.append(f"{domain} {value:.1%}")
            grid.add_row(*cells)
        return grid

    def _numbers(self, lines: Sequence[Shown], width: int) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(style="cyan", no_wrap=True)
        grid.add_column(style="dim", no_wrap=True)
        for name, label, form, has_trend in lines:
            seen = self._trends[name] if has_trend else []
            trend = sparkline(seen, max(min(TREND, width - 50), 8))
            scale = f"{form.format(min(seen))} to {form.format(max(seen))}" if seen else ""
            cells = [trend, scale] if width >= NARROW else []
            grid.add_row(label, form.format(self._row[name]), *cells)
        return grid

    def _answer(self, width: int, room: int) -> list[RenderableType]:
        """The step's first response, on `room` lines: its end, where the answer stands."""
        question, answer, verdict = self._sample or ("", "", "")
        head = Text(f"{verdict}: ", style="bold").append(one_line(question, width), style="dim")
        text = Text(printable(answer))
        shown = text.wrap(self._live.console, width - 6)[-(room - 1) :]
        return [_cut(head, width), *(Padding(line, (0, 0, 0, 2)) for line in shown)]


def _cut(text: Text, width: int) -> Text:
    """On one line of the panel."""
    text = text.copy()
    text.truncate(width - 4, overflow="ellipsis")
    return text


def _shown(row: Row) -> list[Shown]:
    """The lines of SHOWN that the step has values for."""
    every = [
        (name.format(domain=domain), label.format(domain=domain), form, has_trend)
        for name, label, form, has_trend in SHOWN
        for domain in (domains([row], []) if "{domain}" in name else [""])
    ]
    return [line for line in every if row.get(line[0]) is not None]


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as at most `width` bars, lowest to highest; long ones are averaged in bins."""
    if not values:
        return ""
    bins = min(width, len(values))
    edges = [i * len(values) // bins for i in range(bins + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, span = min(means), max(means) - min(means)
    if span <= 1e-9 * max(abs(low), 1e-9):  # a constant is no rise from the lowest to the highest
        return BARS[3] * bins
    return "".join(BARS[min(int((m - low) / span * len(BARS)), len(BARS) - 1)] for m in means)


def _present(row: dict[str, Any], form: str, name: str) -> list[str]:
    """The formatted metric, or nothing where the step has none."""
    return [form.format(row[name])] if row.get(name) is not None else []
