"""`report.html`: a run as one page that needs nothing else, no network and no server.

Everything that a model or a data set wrote is escaped where it is markup; rollouts travel as
compressed data, which the page's script puts into the page as text only.
"""

from __future__ import annotations

import gzip
import math
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from srpo.files import write_whole
from srpo.report.colors import domain_style
from srpo.report.plain import duration, one_line, printable, short_count
from srpo.report.reader import Run, open_run
from srpo.report.run.behaviours import with_behaviours
from srpo.report.run.charts import MAX_POINTS, pictured, run_charts
from srpo.report.run.conclusions import Facts, conclusions, read_facts
from srpo.report.run.sample import BUDGET, Sample, sample_rollouts
from srpo.report.run.tables import run_sheets, totals
from srpo.report.web.page import figures, render

PACKED = 600_000  # bytes of compressed rollouts: with the charts a page stays below 1 MB


@dataclass(frozen=True)
class Tile:
    """One number at the top of the page."""

    name: str
    value: str
    note: str
    color: str = "ink"


def write_page(run: Path) -> Path:
    """Write the run's `report.html`, replaced in one move. Raises UserError when it is no run."""
    opened = open_run(run)
    write_whole(opened.files.page, page(opened))
    return opened.files.page


def write_curves(run: Path, to: Path | None = None) -> Path:
    """Draw the run's main charts so far into its `curves.png`, or another file, replaced in one
    move."""
    from srpo.report.picture import write_picture

    opened = open_run(run)
    out = opened.files.picture if to is None else to
    charts = run_charts(opened.metrics(), opened.evals(), None, opened.styles())
    write_picture(pictured(charts), out)
    return out


def page(run: Run, budget: int = BUDGET) -> str:
    """The page's text; its rollouts take at most `budget` bytes, and PACKED once compressed."""
    facts, ledger = read_facts(run), run.ledger()
    rows = with_behaviours(run, facts.rows)
    sample, packed = _pack(run, budget)
    return render(
        "page.html",
        script="page.js",
        name=one_line(facts.run.path.resolve().name, 100),
        subtitle=_subtitle(facts),
        tiles=_tiles(facts),
        conclusions=conclusions(facts),
        totals=totals(run),
        averaged=max(1, math.ceil(len(facts.rows) / MAX_POINTS)),
        subjects=figures(run_charts(rows, facts.evals, ledger, facts.styles)),
        sheets=run_sheets(facts.evals, facts.epochs),
        recipe=printable(facts.recipe_text),
        sample=sample,
        sample_note=_sample_note(facts, sample),
        groups=packed,
        domains=[(name, domain_style(name, facts.styles).color) for name in facts.domains],
        epochs=[(printable(str(e["stage"])), e["epoch"]) for e in facts.epochs],
    )


def _pack(run: Run, budget: int) -> tuple[Sample, str]:
    """A sample that is no longer than PACKED as base64 of gzip, and that text."""
    while True:
        sample = sample_rollouts(run, budget)
        text = "[" + ",".join(sample.groups) + "]"
        packed = b64encode(gzip.compress(text.encode(), mtime=0)).decode()
        if len(packed) <= PACKED:
            return sample, packed
        budget = int(0.9 * PACKED / len(packed) * min(budget, len(text)))


def _subtitle(facts: Facts) -> str:
    parts = {
        "model": facts.setting("model"),
        "curriculum": facts.setting("curriculum", "kind"),
        "sampler": facts.setting("sampler", "strategy", "kind"),
        "seed": facts.setting("seed"),
    }
    return " · ".join(f"{n} {one_line(str(v), 80)}" for n, v in parts.items() if v is not None)


def _tiles(facts: Facts) -> list[Tile]:
    tiles = [t for d in facts.domains if (t := _accuracy_tile(facts, d))]
    last = facts.rows[-1] if facts.rows else {}
    budget = facts.setting("max_steps")
    of = f"of {budget:,}" if isinstance(budget, int) else ""
    tiles.append(Tile("steps", f"{facts.step:,}", of))
    generated, trained = last.get("tokens/generated"), last.get("tokens/trained")
    if generated and trained is not None:
        tiles.append(
            Tile(
                "tokens generated", short_count(generated), f"{trained / generated:.0%} trained on"
            )
        )
    if "seconds/total" in last:
        note = f"{last['seconds/step']:.1f} s the last step" if "seconds/step" in last else ""
        tiles.append(Tile("training time", duration(last["seconds/total"]), note))
    errors = sum(row.get("errors", 0) for row in facts.rows)
    tiles.append(Tile("failed to judge", f"{errors:,}", "rollouts"))
    return tiles


def _accuracy_tile(facts: Facts, domain: str) -> Tile | None:
    lines = [e for e in facts.evals if (e.get(domain) or {}).get("pass@1") is not None]
    if not lines:
        return None
    first, results = lines[0][domain]["pass@1"], lines[-1][domain]
    low, high = results.get("pass@1_low"), results.get("pass@1_high")
    interval = "" if low is None or high is None else f"±{(high - low) / 2 * 100:.1f}, "
    before = interval + (f"from {first:.1%}" if len(lines) > 1 else "so far")
    if not facts.summary:
        before += f", at step {lines[-1]['step']}"
    color = domain_style(domain, facts.styles).color
    return Tile(f"held-out {domain}, pass@1", f"{results['pass@1']:.1%}", before, color)


def _sample_note(facts: Facts, sample: Sample) -> str:
    if not sample.steps:
        return "This run has no rollouts on disk: no step is done yet, or log.rollouts is false."
    shown = len(sample.groups)
    if sample.whole:
        return f"All {shown:,} groups of the run."
    total = sum(e["prompts"] for e in facts.epochs)
    of = f" of {total:,}" if total >= shown else ""
    return (
        f"{shown:,}{of} groups, at even distances over the {sample.steps:,} steps, and those with"
        f" errors first: a page stays below 1 MB. Large groups show some"
        " rollouts of each outcome, long texts lose their middle. Everything is in rollouts/:"
        " srpo rollouts RUN."
    )
