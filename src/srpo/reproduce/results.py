"""What a suite found: a comparison for each experiment, as a page, a picture and a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from srpo.report.compare.alignment import By
from srpo.report.compare.compare import Comparison, compare_runs
from srpo.report.compare.page import writer
from srpo.reproduce.suite import Experiment, Trial


def write_results(
    experiments: Sequence[Experiment], trials: Sequence[Trial], out: Path
) -> list[tuple[Experiment, Comparison]]:
    """Compare the conditions of each experiment; `out`/NAME.{html,png,md}."""
    results = []
    for experiment in experiments:
        conditions = list(
            dict.fromkeys(j.condition for j in trials if j.experiment == experiment.name)
        )
        if len(conditions) < 2:
            continue
        runs = [
            f"{name}={trial.folder(out)}"
            for name in conditions
            for trial in trials
            if (trial.experiment, trial.condition) == (experiment.name, name)
        ]
        comparison = compare_runs(runs, By.tokens, experiment.metric, None, conditions[0])
        for ending in (".html", ".png", ".md"):
            file = out / f"{experiment.name}{ending}"
            writer(file)(comparison, file)
        results.append((experiment, comparison))
    return results
