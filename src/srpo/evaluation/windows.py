"""Which problems of LiveCodeBench a score is of: windows of contest dates, and releases.

A window is `2024-08..2025-01`: from the first day of the one month to the last day of the other,
both included. Days (`2024-08-15..`) may stand for months, and one side may be open.

A release is a set of files. Its months say when its problems were published, not which they are:
`release_v1` has 400 problems up to March 2024, and later releases added others of before then.
https://github.com/LiveCodeBench/LiveCodeBench#dataset-versions
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from srpo.types import UserError, short

Row = TypeVar("Row")

_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
_RELEASE = re.compile(r"(release_)?v(\d+)(?:_v(\d+))?", re.ASCII)
GIVE = "give START..END, each a month (2024-08) or a day (2024-08-15), one of them or none left out"
FIRST_MONTH = "2023-05"
# Of each part: its last month, and how many problems it added.
PARTS = (
    ("2024-03", 400),
    ("2024-05", 111),
    ("2024-07", 101),
    ("2024-09", 101),
    ("2025-01", 167),
    ("2025-04", 175),
)


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `start` to `end`, both included; None: open."""

    start: date | None = None
    end: date | None = None

    def __contains__(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def __str__(self) -> str:
        return f"{self.start or ''}..{self.end or ''}"


@dataclass(frozen=True, slots=True)
class Release:
    """What a version tag of `code_generation_lite` stands for.

    files      as they are called there
    problems   how many they have together
    months     first and last month of their contests, in words
    """

    name: str
    files: tuple[str, ...]
    problems: int
    months: str


def read_window(text: str, where: str = "window") -> Window:
    """A window from its text. Raises UserError for what is none, or ends before it starts."""
    start, dots, end = text.strip().partition("..")
    if not dots or not (start or end):
        raise UserError(f"{where} is {text!r}: {GIVE}")
    window = Window(_day(start, False, where, text), _day(end, True, where, text))
    if window.start and window.end and window.end < window.start:
        raise UserError(
            f"{where} is {text!r}: it ends on {window.end}, before it starts; put the earlier date"
            " first"
        )
    return window


def _day(text: str, last: bool, where: str, whole: str) -> date | None:
    """Of a month the first day, or the last."""
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            raise ValueError("no date")
        year, month = int(found[1]), int(found[2])
        if found[3]:
            return date(year, month, int(found[3]))
        return date(year, month, monthrange(year, month)[1] if last else 1)
    except ValueError as error:
        raise UserError(f"{where} is {whole!r}: {text!r} is no month and no day; {GIVE}") from error


def read_release(text: str, where: str = "release") -> Release:
    """`release_v5` is everything up to the fifth part, `v5` that part alone, `v4_v5` two parts: the
    tags of `code_generation_lite`. Raises UserError for any other."""
    found = _RELEASE.fullmatch(text.strip())
    if found is not None and not (found[1] and found[3]):
        last = int(found[3] or found[2])
        first = 1 if found[1] else int(found[2])
        if 1 <= first <= last <= len(PARTS):
            return _release(text.strip(), first, last)
    raise UserError(
        f"{where} is {short(text)}: give release_v1 to release_v{len(PARTS)} (all up to it), v1 to"
        f" v{len(PARTS)} (what it added), or v2_v4"
    )


def _release(name: str, first: int, last: int) -> Release:
    numbers = range(first, last + 1)
    files = tuple(f"test{number if number > 1 else ''}.jsonl" for number in numbers)
    problems = sum(PARTS[number - 1][1] for number in numbers)
    return Release(name, files, problems, f"{FIRST_MONTH} to {PARTS[last - 1][0]}")


def in_window(
    rows: Sequence[Row], window: Window, dated: Callable[[Row], Any], where: str = "window"
) -> list[Row]:
    """The rows whose contest was in the window, in their order.

    Args:
        dated: a row's contest date: a date, or a text that begins with one (2024-08-31T19:30:00).

    Raises UserError for a row without one, and where none is left: it names the dates there are.
    """
    days = [contest_day(dated(row), f"row {number}") for number, row in enumerate(rows)]
    kept = [row for row, day in zip(rows, days, strict=True) if day in window]
    if not kept:
        there = f"{min(days)}..{max(days)}" if days else "no problems"
        raise UserError(f"{where} is {window}: no problem is of then; the data has {there}")
    return kept


def contest_day(value: Any, where: str) -> date:
    """The calendar day of a contest, as the data has it, in no time zone. Raises UserError."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        if not isinstance(value, str):
            raise ValueError("no text")
        return datetime.fromisoformat(value.strip()).date()
    except ValueError as error:
        raise UserError(
            f"{where}: contest date is {short(value)}: give one like 2024-08-31 to choose by date"
        ) from error
