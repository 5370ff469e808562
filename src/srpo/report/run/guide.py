"""The text of docs/report.md (`python -m srpo.report.run.guide > docs/report.md`), from the charts'
own captions."""

from __future__ import annotations

from srpo.report.run.charts import CATALOGUE

HEAD = """# Reading a run's report

`srpo report RUN` writes `report.html` and `curves.png`, also while the run trains. The page needs
no network. From the top:

- **Tiles**: held-out accuracy by domain with its 95% interval, steps, tokens, time, and what could
  not be judged.
- **Sentences** that say what happened, each from the run's files; a doubt is said as one.
- **Charts**, below. Each has its numbers in a table beneath it. Vertical marks are stages. Curves
  are smoothed, the pale line behind is not. A chart without values is left out.
- **Rollouts**: what the model wrote, by step, domain, verdict, and by the word.
- **The recipe**, resolved.

Accuracy is what verdicts say, reward is what the gradient sees: they are never mixed. Held-out
points come from problems that are not trained on; training curves follow prompts that resampling
makes harder, so trust the points.
"""


def guide() -> str:
    lines, subject = [HEAD.rstrip()], ""
    for chart, _ in CATALOGUE:
        if chart.subject != subject:
            subject = chart.subject
            lines += ["", f"## {subject}", ""]
        lines.append(f"- **{chart.title}**. {chart.caption}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(guide(), end="")
