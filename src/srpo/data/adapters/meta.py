"""What reports want to know of a problem: topic, level, difficulty, url, date, original id."""

from __future__ import annotations

from datetime import date
from typing import Any

from srpo.data.adapters.base import Row

_COLUMNS = {
    "topic": ("topic", "subject", "problem_type", "type", "category", "tags", "cf_tags"),
    "level": ("level",),
    "difficulty": ("difficulty", "cf_rating"),
    "url": ("url", "link"),
    "date": ("date", "contest_date", "estimated_date", "year", "Year"),
    "original_id": (
        *("original_id", "unique_id", "task_id", "question_id", "problem_id", "id", "ID"),
        *("uuid", "name", "idx", "index"),
    ),
}


def meta(*rows: Row) -> dict[str, Any]:
    """From the first of the objects that has each: the row itself and what is nested in it."""
    found = {}
    for name, columns in _COLUMNS.items():
        values = (_plain(row.get(column)) for row in rows for column in columns)
        value = next((v for v in values if v is not None), None)
        if value is not None:
            found[name] = value
    return found


def _plain(value: Any) -> Any:
    """A value that a report can show; None for what is none."""
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return value
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
