"""An evaluation's numbers as a table, a line for each problem set and grader."""

from __future__ import annotations

from typing import Any

from srpo.report.sheet import Sheet

COLUMNS = ["set", "grader", "problems", "avg@n", "95% over questions", "95% over runs"]


def result_sheet(result: dict[str, Any]) -> Sheet:
    """Shares are in percent, lengths in tokens."""
    n = result["config"]["samples"]
    rows = []
    for one in result["sets"]:
        rows.append([one["title"], "ours", *_cells(one["numbers"])])
        rows += [["", name, *_cells(found)] for name, found in one["beside"].items()]
    more = [f"pass@{n}", f"maj@{n}", "no answer", "cut", "tokens", "right", "wrong"]
    caption = f"{result['model']}, n = {n} responses to each problem"
    return Sheet(caption, [*COLUMNS, *more], rows, 2)


def _cells(numbers: dict[str, Any]) -> list[str]:
    n = str(numbers["samples"])
    over = numbers["over_runs"]
    return [
        f"{numbers['problems']:,}",
        percent(numbers["avg@n"]),
        interval(numbers["over_questions"]),
        "-" if over is None else interval(over),
        percent(numbers["pass@k"].get(n)),
        percent(numbers["maj@k"].get(n)),
        percent(numbers["no_answer"]),
        percent(numbers["truncated"]),
        length(numbers["mean_tokens"]),
        length(numbers["mean_tokens_correct"]),
        length(numbers["mean_tokens_incorrect"]),
    ]


def percent(share: float | None) -> str:
    """A share in percent; - for none."""
    return "-" if share is None else f"{100 * share:.1f}"


def interval(over: dict[str, float | None]) -> str:
    """A 95% interval and its standard error, in percent."""
    error = over["standard_error"]
    se = "" if error is None else f" (se {100 * error:.1f})"
    return f"{percent(over['low'])} to {percent(over['high'])}{se}"


def length(tokens: float | None) -> str:
    return "-" if tokens is None else f"{tokens:,.0f}"
