"""What became of a run, in one paragraph of plain words that its files support."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from srpo.diagnosis import nothing_learnt
from srpo.metrics import Row
from srpo.report.colors import Given
from srpo.report.pace import Pace
from srpo.report.plain import duration, one_line
from srpo.report.reader import Record, Run, domains, stage_starts
from srpo.report.run.epochs import epochs

RECENT = 10  # steps


@dataclass(frozen=True)
class Facts:
    """A run's files, read once."""

    run: Run
    recipe_text: str
    recipe: dict[str, Any]
    rows: list[Row]  # one a step
    evals: list[Record]
    summary: Record | None
    epochs: list[Record]
    written: datetime | None  # when the last step was logged
    styles: Given

    @property
    def domains(self) -> list[str]:
        return domains(self.rows, self.evals)

    @property
    def step(self) -> int:
        return self.rows[-1]["step"] if self.rows else 0

    def setting(self, *path: str, default: Any = None) -> Any:
        """A value of the recipe, by its path."""
        node: Any = self.recipe
        for name in path:
            node = node.get(name) if isinstance(node, dict) else None
        return default if node is None else node


def read_facts(run: Run) -> Facts:
    """Everything but the rollouts. What is not there yet is empty."""
    text = run.files.recipe.read_text(encoding="utf-8", errors="replace")
    try:
        recipe = yaml.safe_load(text)
    except yaml.YAMLError:
        recipe = None  # shown as it is; what it would have told is left out
    file, ledger = run.files.metrics, run.ledger()
    rows = run.metrics()
    return Facts(
        run,
        text,
        recipe if isinstance(recipe, dict) else {},
        rows,
        run.evals(),
        run.summary(),
        epochs(ledger) if ledger else [],
        datetime.fromtimestamp(file.stat().st_mtime, UTC) if rows else None,
        run.styles(),
    )


def conclusions(facts: Facts) -> list[str]:
    """The paragraph's sentences."""
    lines = [state(facts)]
    if facts.summary and (why := nothing_learnt(facts.rows)):
        lines.insert(0, f"Nothing was learnt. {why}.")
    lines += [s for domain in facts.domains if (s := _domain(facts, domain))]
    return [*lines, *_stages(facts), *_groups(facts), *_failures(facts)]


def state(facts: Facts) -> str:
    """Finished or not, why, at which step, and how long it would still take."""
    last = facts.setting("max_steps")
    of = f" of {last:,}" if isinstance(last, int) else ""
    if facts.summary:
        steps, seconds = facts.summary["steps"], facts.summary["seconds"]
        return f"Finished after {steps:,}{of} steps ({_why(facts, steps)}) in {duration(seconds)}."
    if not facts.rows or facts.written is None:
        return "Not finished: no step is logged yet."
    when = f"{facts.written:%Y-%m-%d %H:%M} UTC"
    return f"Not finished: at step {facts.step:,}{of}, logged {when}{_eta(facts, last)}."


def _why(facts: Facts, steps: int) -> str:
    if steps == facts.setting("max_steps"):
        return "the step budget"
    ended = str((facts.summary or {}).get("ended", ""))
    if ended.startswith("max_tokens"):
        return "the token budget"
    return "before its step budget: the stages ended"


def _eta(facts: Facts, max_steps: Any) -> str:
    if not isinstance(max_steps, int):
        return ""
    pace = Pace(max_steps, facts.setting("max_tokens"))
    for row in facts.rows:
        pace.observe(row)
    if pace.seconds is None:
        return ""
    at = f"{pace.seconds:.1f} s a step"
    return f"; the rest takes at most {pace.eta} at {at}, evaluations aside"


def _domain(facts: Facts, domain: str) -> str:
    """Where accuracy came from and went to: held-out problems, else the training prompts."""
    points = [
        (line, line[domain])
        for line in facts.evals
        if (line.get(domain) or {}).get("pass@1") is not None
    ]
    if not points:
        return _trained_only(facts, domain)
    first, last = points[0][1], points[-1][1]
    known = f" ({last['problems']:,} problems)" if "problems" in last else ""
    if len(points) == 1:
        return (
            f"Held-out {domain}{known}: pass@1 was {_share(last)} at step {points[0][0]['step']};"
            " there is no later evaluation yet."
        )
    change = last["pass@1"] - first["pass@1"]
    return (
        f"Held-out {domain}{known}: pass@1 went from {_share(first)} at step"
        f" {points[0][0]['step']} to {_share(last)} at step {points[-1][0]['step']},"
        f" {change * 100:+.1f} points{_certainty(first, last)}.{_grown(first, last)}"
        + _since(facts, domain, points[-1][0]["step"])
    )


def _since(facts: Facts, domain: str, step: int) -> str:
    """An unfinished run's last evaluation may be old: what its training prompts said since."""
    later = [row for row in facts.rows if row["step"] > step]
    values = [row[f"accuracy/{domain}"] for row in later if f"accuracy/{domain}" in row]
    if not values or facts.summary:
        return ""
    recent = values[-RECENT:]
    share = sum(recent) / len(recent)
    return f" Since then, on training prompts, it came to {share:.1%} (last {len(recent)} steps)."


def _grown(first: Record, last: Record) -> str:
    before, after = first.get("mean_tokens"), last.get("mean_tokens")
    if before is None or after is None:
        return ""
    return f" Its answers went from {before:,.1f} to {after:,.1f} tokens."


def _share(results: Record) -> str:
    low, high = results.get("pass@1_low"), results.get("pass@1_high")
    interval = "" if low is None or high is None else f" (95%: {low:.1%} to {high:.1%})"
    return f"{results['pass@1']:.1%}{interval}"


def _certainty(first: Record, last: Record) -> str:
    names = ("pass@1_low", "pass@1_high")
    if any(results.get(n) is None for results in (first, last) for n in names):
        return ""
    overlap = last["pass@1_low"] <= first["pass@1_high"] and (
        first["pass@1_low"] <= last["pass@1_high"]
    )
    return ": no clear change, the intervals overlap" if overlap else "; the intervals are apart"


def _trained_only(facts: Facts, domain: str) -> str:
    values = [r[f"accuracy/{domain}"] for r in facts.rows if f"accuracy/{domain}" in r]
    if not values:
        return ""
    n = max(1, len(values) // 10)
    before, after = sum(values[:n]) / n, sum(values[-n:]) / n
    return (
        f"No evaluation on held-out {domain}; on training prompts accuracy went from"
        f" {before:.1%} to {after:.1%} (first and last {n} of its steps)."
    )


def _stages(facts: Facts) -> list[str]:
    starts = stage_starts(facts.rows)[1:]
    entered = {s["name"]: s for s in (facts.summary or {}).get("stages") or []}
    lines = []
    for step, name in starts:
        why = one_line(str(entered.get(name, {}).get("reason") or ""), 200)
        lines.append(
            f"Stage {one_line(name, 20)} began at step {step}{f' ({why})' if why else ''}."
        )
    return lines


def _groups(facts: Facts) -> list[str]:
    if not facts.epochs:
        return []
    prompts = sum(e["prompts"] for e in facts.epochs)
    mixed = sum(e["informative"] * e["prompts"] for e in facts.epochs) / prompts
    first, last = facts.epochs[0], facts.epochs[-1]
    by_epoch = ""
    if len(facts.epochs) > 1:
        by_epoch = f": {first['informative']:.0%} in the first epoch, {last['informative']:.0%}"
        by_epoch += " in the last" + ("" if last["over"] else ", which is still open")
    dropped = sum(e["dropped"] for e in facts.epochs)
    return [
        f"{mixed:.0%} of {prompts:,} groups had both right and wrong answers{by_epoch}; the others"
        f" teach nothing. Resampling dropped {dropped:,} prompts at the ends of epochs."
    ]


def _failures(facts: Facts) -> list[str]:
    if not facts.rows:
        return []
    errors = sum(row.get("errors", 0) for row in facts.rows)
    failed = (
        f"{errors:,} rollouts could not be judged, a failure of ours; they were left out."
        if errors
        else "Every rollout was judged."
    )
    shares = [row["truncated"] for row in facts.rows[-RECENT:] if "truncated" in row]
    if not shares:
        return [failed]
    limit = facts.setting("rollout", "max_new_tokens")
    at = f" ({limit:,} tokens)" if isinstance(limit, int) else ""
    cut = sum(shares) / len(shares)
    return [failed, f"In the last {len(shares)} steps {cut:.1%} of responses hit the limit{at}."]
