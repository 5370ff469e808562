"""`report.html` of an evaluation: scores with their doubt, charts, and responses to read."""

from __future__ import annotations

from typing import Any

from srpo.report.evaluation.charts import charts
from srpo.report.evaluation.sample import SetSample
from srpo.report.evaluation.sheet import interval, k_sheet, percent, result_sheet
from srpo.report.plain import one_line
from srpo.report.web.page import figures, render

CUT, SILENT = 0.1, 0.1  # shares that deserve a sentence


def evaluation_page(result: dict[str, Any], samples: list[SetSample]) -> str:
    """One page that needs nothing else: no script, no network; all text in it is escaped."""
    config = result["config"]
    rollout = config["rollout"]
    subtitle = (
        f"{config['samples']} responses to each problem, temperature {rollout['temperature']},"
        f" top_p {rollout['top_p']}, up to {rollout['max_new_tokens']:,} tokens,"
        f" {rollout['engine']}"
    )
    return render(
        "page.evaluation.html",
        title=one_line(str(result["model"]), 100),
        subtitle=subtitle,
        conclusions=conclusions(result, samples),
        subjects=figures(charts(result, samples)),
        sheets=[result_sheet(result), k_sheet(result)],
        sets=samples,
    )


def conclusions(result: dict[str, Any], samples: list[SetSample]) -> list[str]:
    """What the numbers say, and how much: a paragraph a set."""
    pairs = zip(result["sets"], samples, strict=True)
    return [" ".join(_of_set(one, shown)) for one, shown in pairs]


def _of_set(one: dict[str, Any], shown: SetSample) -> list[str]:
    x = one["numbers"]
    found = [f"{one['title']}: {percent(x['avg@n'])}% correct, {_doubt(x)}"]
    if x["truncated"] > CUT:
        found.append(
            f"{percent(x['truncated'])}% of its responses were cut at the limit of tokens: a higher"
            " one may give another score."
        )
    if x["no_answer"] > SILENT:
        found.append(f"{percent(x['no_answer'])}% have no answer that could be taken out.")
    if shown.survey.disputed:
        found.append(f"Graders disagree on {shown.survey.disputed:,} of its responses, see below.")
    for grader, count in sorted(shown.survey.failed.items()):
        found.append(f"{grader} failed on {count:,}, which count in none of its numbers.")
    return found


def _doubt(x: dict[str, Any]) -> str:
    """Both intervals, and what they mean."""
    questions = f"{interval(x['over_questions'])} over questions (others of the kind)"
    if x["over_runs"] is None:
        return f"95% interval {questions}; one response each says nothing of another run."
    runs = f"{interval(x['over_runs'])} over runs (the same questions asked again)"
    return f"95% intervals {questions} and {runs}."
