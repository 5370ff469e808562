"""What is shown of reasoning behaviours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srpo.files import write_whole
from srpo.reasoning.behaviours import find_marks
from srpo.reasoning.responses import read_responses
from srpo.reasoning.statistics import Statistics
from srpo.report.sheet import Sheet
from srpo.types import UserError

COLUMNS = ["behaviour", "responses", "per 1,000", "with", "without", "correct", "matched"]


def analyse(path: Path, rules: str) -> Statistics:
    """Of all responses of a run, an evaluation or a file. Raises UserError."""
    find_marks("", rules)  # an unknown name is told before anything is read
    if not path.exists():
        raise UserError(f"{str(path)!r}: there is no such file or folder")
    found = Statistics(rules)
    for response in read_responses(path):
        found.add(response)
    if not found.responses:
        raise UserError(f"{str(path)!r}: holds no responses")
    return found


def sheet(found: Statistics) -> Sheet:
    """A line a behaviour: the share of responses with its 95% interval, times in 1,000 tokens, mean
    lengths with and without it, the share correct of those with it, and how much more often correct
    responses show it than incorrect ones to the same problem."""
    unit = "words" if found.words else "tokens"
    caption = f"{found.responses:,} responses, rules: {found.rules}; lengths in {unit}"
    return Sheet(caption, COLUMNS, [_cells(row) for row in found.rows()])


def domain_sheet(found: Statistics) -> list[Sheet]:
    """The shares by domain, where there are several."""
    curve = found.curve("domain")
    if len(curve) < 2:
        return []
    names = [row["behaviour"] for row in found.rows()]
    rows = [[n, *(f"{100 * shares.get(n, 0):.1f}%" for shares in curve.values())] for n in names]
    return [Sheet("share of responses, by domain", ["behaviour", *curve], rows)]


def check_place(path: Path, source: Path) -> None:
    """Before anything is read: whether numbers can be written there. A folder would be replaced
    with all that is in it. Raises UserError."""
    if path.is_dir():
        raise UserError(f"--json is {str(path)!r}: a folder; give a file")
    if not path.parent.is_dir():
        parent = str(path.parent)
        raise UserError(f"--json is {str(path)!r}: there is no folder {parent!r}; make it first")
    if path.exists() and source.exists() and path.samefile(source):
        raise UserError(f"--json is {str(path)!r}: what is analysed; give another file")


def write_numbers(path: Path, found: Statistics) -> None:
    """Everything as JSON."""
    numbers = {
        "rules": found.rules,
        "responses": found.responses,
        "length": "words" if found.words else "tokens",
        "behaviours": found.rows(),
        "by_step": found.curve("step"),
        "by_domain": found.curve("domain"),
    }
    write_whole(path, json.dumps(numbers, indent=1) + "\n")


def _cells(row: dict[str, Any]) -> list[str]:
    share = f"{100 * row['share']:.1f}% ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    return [
        row["behaviour"],
        share,
        f"{row['per_1000']:.2f}",
        _length(row["length_with"]),
        _length(row["length_without"]),
        "-" if row["correct_with"] is None else f"{100 * row['correct_with']:.1f}%",
        _matched(row["matched"]),
    ]


def _length(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:,.0f}"


def _matched(found: dict[str, float] | None) -> str:
    if found is None:
        return "-"
    low, high = 100 * found["low"], 100 * found["high"]
    return f"{100 * found['difference']:+.1f} ({low:+.1f} to {high:+.1f})"
