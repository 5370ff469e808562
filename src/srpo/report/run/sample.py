"""Which rollouts the report page carries: all of a small run, an even sample of a large one.

The page has a size budget, before and after compression. What it holds is chosen so:
- a run whose rollouts fit is carried whole;
- otherwise every step gives the same share of the budget (of more than MAX_STEPS steps, as many
  at even distances), filled with groups from even distances in the step's file;
- before that, groups with a rollout that we failed to judge take up to a quarter of it: they are
  rare, and a person looks for them;
- a group larger than its share loses rollouts, in turn from each outcome, so that it keeps some
  of each; a text longer than MAX_TEXT characters loses its middle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from srpo.report.plain import one_line, printable
from srpo.report.reader import Record, Run, read_groups
from srpo.report.run.behaviours import marks_of
from srpo.types import FinishReason, Outcome

BUDGET = 4_000_000  # bytes of rollouts, before the page compresses them
MAX_STEPS = 200
MAX_TEXT = 4_000
MAX_ERROR_STEPS = 20


@dataclass(frozen=True)
class Sample:
    """Encoded groups in the order of training, and how many of the run's steps and bytes."""

    groups: list[str]  # each one JSON object, one line
    whole: bool  # nothing was left out
    steps: int  # steps that have rollouts on disk


def sample_rollouts(run: Run, budget: int = BUDGET) -> Sample:
    """The rollouts for the page, of at most `budget` bytes."""
    files = run.files.rollout_files()
    if sum(file.stat().st_size for file in files.values()) <= budget * 0.8:
        every = [g for file in files.values() for g in read_groups(file)]
        groups = [encode(g, budget) for g in every]
        if sum(map(len, groups)) <= budget:
            return Sample(groups, all(map(_fits, every)), len(files))
    for_errors = budget // 4
    share = (budget - for_errors) // MAX_STEPS  # no group is larger, so that every step gets one
    chosen: dict[tuple[int, str], str] = {}
    left = for_errors
    for step, group in _groups_with_errors(run, files):
        text = encode(group, share)
        if len(text) <= left:
            chosen[step, group["problem_id"]] = text
            left -= len(text)
    left = budget - sum(map(len, chosen.values()))
    steps = _spread(list(files), MAX_STEPS)
    for i, step in enumerate(steps):
        quota = left // (len(steps) - i)  # what a step leaves, the later ones get
        for group in _spread_groups(files[step]):
            key = step, group["problem_id"]
            text = encode(group, share)
            if len(text) > quota:
                break
            if key not in chosen:
                chosen[key] = text
                quota, left = quota - len(text), left - len(text)
    order = sorted(chosen, key=lambda key: key[0])
    return Sample([chosen[key] for key in order], False, len(files))


def encode(group: Record, limit: int) -> str:
    """The group as JSON of about `limit` bytes at most.

    A rollout is [number, outcome, tokens, cut, answer, detail, reward, text, marks], the reward
    being [accuracy, format, language, total] or null, a mark [start, end, behaviour]. Texts have
    nothing left that acts.
    """
    rollouts = list(enumerate(group["rollouts"], 1))
    outcomes = [r["outcome"] for _, r in rollouts]
    head = {
        "step": group["step"],
        "stage": printable(str(group["stage"])),
        "epoch": group["epoch"],
        "id": one_line(str(group["problem_id"]), 200),
        "domain": printable(str(group["domain"])),
        "prompt": _shorten(str(group["prompt"])),
        "rollouts": len(rollouts),
        "judged": outcomes.count(Outcome.CORRECT) + outcomes.count(Outcome.INCORRECT),
        "correct": outcomes.count(Outcome.CORRECT),
    }
    size = len(_json(head))
    shown = []
    for number, rollout in _in_turn(rollouts):
        record = _record(number, rollout)
        size += len(_json(record)) + 1
        if shown and size > limit:
            break
        shown.append(record)
    return _json({**head, "shown": sorted(shown, key=lambda record: record[0])})


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _record(number: int, rollout: Record) -> list[Any]:
    tokens, reward = rollout["tokens"], rollout.get("reward")
    answer = rollout.get("answer")
    return [
        number,
        printable(str(rollout["outcome"])),
        tokens if isinstance(tokens, int) else len(tokens),
        rollout.get("finish_reason") == FinishReason.LENGTH,
        None if answer is None else one_line(str(answer), 200),
        one_line(str(rollout.get("detail") or ""), 400),
        reward and [round(reward[n], 4) for n in ("accuracy", "format", "language", "total")],
        text := _shorten(str(rollout["text"])),
        [[m.start, m.end, m.behaviour] for m in marks_of(text)],
    ]


def _shorten(text: str) -> str:
    """Printable, at most about MAX_TEXT characters: what goes is the middle."""
    half = MAX_TEXT // 2
    if len(text) > MAX_TEXT:
        left_out = f"\n[… {len(text) - 2 * half:,} characters left out …]\n"
        return printable(text[:half]) + left_out + printable(text[-half:])
    return printable(text)


def _fits(group: Record) -> bool:
    return all(len(r["text"]) <= MAX_TEXT for r in group["rollouts"])


def _in_turn(rollouts: list[tuple[int, Record]]) -> Iterator[tuple[int, Record]]:
    """One of each outcome, then a second of each, and so on."""
    outcomes = dict.fromkeys(r["outcome"] for _, r in rollouts)
    queues = [[p for p in rollouts if p[1]["outcome"] == o] for o in outcomes]
    for turn in zip_longest(*queues):
        yield from (pair for pair in turn if pair is not None)


def _groups_with_errors(run: Run, files: dict[int, Path]) -> Iterator[tuple[int, Record]]:
    steps = [row["step"] for row in run.metrics() if row.get("errors") and row["step"] in files]
    for step in _spread(steps, MAX_ERROR_STEPS):
        for group in read_groups(files[step]):
            if any(r["outcome"] == Outcome.ERROR for r in group["rollouts"]):
                yield step, group


def _spread(items: list[int], limit: int) -> list[int]:
    """At most `limit` of them, at even distances, the first and the last among them."""
    if len(items) <= limit:
        return items
    return [items[round(i * (len(items) - 1) / (limit - 1))] for i in range(limit)]


def _spread_groups(file: Path, tries: int = 256) -> Iterator[Record]:
    """Groups of one step from places that fill the file evenly, without reading all of it.

    The places are the binary van der Corput sequence: 0, 1/2, 1/4, 3/4, 1/8, ...
    """
    size, seen = file.stat().st_size, set()
    with file.open("rb") as lines:
        for place in _halves(tries):
            lines.seek(int(size * place))
            if place:
                lines.readline()  # the rest of the line that the place is in
            start = lines.tell()
            line = lines.readline()
            if not line or start in seen:
                continue
            seen.add(start)
            try:
                yield json.loads(line)
            except ValueError:  # the last line, cut short by a kill
                continue


def _halves(count: int) -> Iterable[float]:
    for i in range(count):
        bits = f"{i:b}"[::-1]
        yield int(bits, 2) / 2 ** len(bits)
