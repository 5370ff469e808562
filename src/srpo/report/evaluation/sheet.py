"""An evaluation's numbers as tables. Shares are in percent, lengths in tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from srpo.report.sheet import Sheet


def short_sheet(result: dict[str, Any]) -> Sheet:
    """A line a set, as 80 columns have room for."""
    n = result["config"]["samples"]
    rows = [
        [
            one["title"],
            percent(x["avg@n"]),
            interval(x["over_questions"]),
            "-" if x["over_runs"] is None else interval(x["over_runs"]),
            percent(x["pass@k"].get(str(n))),
            percent(x["no_answer"]),
            percent(x["truncated"]),
            length(x["mean_tokens"]),
        ]
        for one in result["sets"]
        for x in [one["numbers"]]
    ]
    columns = ["set", f"avg@{n}", "95% over\nquestions", "95% over\nruns", f"pass@{n}"]
    columns += ["no\nanswer", "cut", "tokens"]
    return Sheet(f"{result['model']}, {n} responses to each problem", columns, rows)


def result_sheet(result: dict[str, Any]) -> Sheet:
    """A line for each set and grader, everything but pass@k and maj@k."""
    n = result["config"]["samples"]
    rows = []
    for one in result["sets"]:
        rows.append([one["title"], "ours", *_cells(one["numbers"])])
        rows += [["", name, *_cells(found)] for name, found in one["beside"].items()]
    columns = ["set", "grader", "problems", f"avg@{n}", "over questions: 95%", "SE"]
    columns += ["over runs: 95%", "SE", "no answer", "cut"]
    columns += ["tokens", "of correct", "of incorrect"]
    return Sheet(f"{result['model']}, {n} responses to each problem", columns, rows, 2)


def k_sheet(result: dict[str, Any]) -> Sheet:
    """pass@k and maj@k of each set and grader."""
    ks = list(result["sets"][0]["numbers"]["pass@k"])
    rows = []
    for one in result["sets"]:
        name = one["title"]
        for grader, found in (("ours", one["numbers"]), *one["beside"].items()):
            for what in ("pass@k", "maj@k"):
                if by_k := found[what]:
                    rows.append([name, grader, what, *(percent(by_k.get(k)) for k in ks)])
                    name = ""
    caption = "At least one of k correct, and the most frequent of k"
    return Sheet(caption, ["set", "grader", "", *ks], rows, 3)


def _cells(x: dict[str, Any]) -> list[str]:
    runs = x["over_runs"] or {"low": None, "high": None, "standard_error": None}
    questions = x["over_questions"]
    return [
        f"{x['problems']:,}",
        percent(x["avg@n"]),
        interval(questions),
        percent(questions["standard_error"]),
        "-" if x["over_runs"] is None else interval(runs),
        percent(runs["standard_error"]),
        percent(x["no_answer"]),
        percent(x["truncated"]),
        length(x["mean_tokens"]),
        length(x["mean_tokens_correct"]),
        length(x["mean_tokens_incorrect"]),
    ]


def percent(share: float | None) -> str:
    """A share in percent; - for none."""
    return "-" if share is None else f"{100 * share:.1f}"


def interval(over: Mapping[str, float | None]) -> str:
    """A 95% interval, in percent."""
    return f"{percent(over['low'])} to {percent(over['high'])}"


def length(tokens: float | None) -> str:
    """A mean of tokens; - for none."""
    return "-" if tokens is None else f"{tokens:,.0f}"
