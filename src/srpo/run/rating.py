"""How often a model solves problems: asked and judged as a training of that recipe would."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from srpo.data.candidate import Candidate
from srpo.data.curate.judged import TRAIN_SCHEMA, Judged
from srpo.data.curate.work import write_judged
from srpo.evaluation.evaluator import seed_of
from srpo.observer import Observer
from srpo.recipe.curation import RatingConfig
from srpo.recipe.load import load_recipe, parse_recipe
from srpo.run.check import opened_parts
from srpo.run.parts import Parts
from srpo.types import Group, Outcome

BATCH = 32  # problems between two entries on record

Record = Callable[[str, Any], None]
OnPhase = Callable[[str, int, int], None]


def rate(
    rating: RatingConfig, seed: int, problems: list[Candidate], record: Record, on_phase: OnPhase
) -> None:
    """Sample `rating.samples` responses to each problem, and record (samples, correct) for its
    id, or why it has none. What is recorded does not depend on where a rating was stopped."""
    with _parts(rating, problems) as parts:
        asked = list(parts.sampler.problems)
        known = {p.id for p in asked}
        limit = parts.recipe.data.max_prompt_tokens
        for problem in problems:
            if problem.id not in known:
                record(problem.id, f"more tokens than data.max_prompt_tokens {limit}")
        for start in range(0, len(asked), BATCH):
            on_phase("rate", start, len(asked))
            batch = asked[start : start + BATCH]
            seeds = [seed_of(p, seed) for p in batch]
            sample = parts.collector.sample
            for group in sample(batch, rating.samples, seeds, lambda *_: None).groups:
                record(group.problem.id, _counts(group))
        on_phase("rate", len(asked), len(asked))


def _counts(group: Group) -> tuple[int, int] | str:
    valid = len(group.valid())
    return (valid, group.count(Outcome.CORRECT)) if valid else "every verdict was an error of ours"


@contextmanager
def _parts(rating: RatingConfig, problems: list[Candidate]) -> Iterator[Parts]:
    """Those of a training on these problems, which are put in a file for it."""
    with tempfile.TemporaryDirectory(prefix="srpo-rating-") as folder:
        path = Path(folder, "problems.parquet")
        write_judged(path, map(Judged, problems), TRAIN_SCHEMA)
        domains = sorted({c.domain for c in problems})
        sources = [{"path": str(path), "domain": d, "reference_field": "none"} for d in domains]
        recipe = load_recipe(rating.recipe, rating.set).model_dump(mode="json")
        recipe["data"] |= {"train": sources, "eval": [], "overlong": "drop"}
        recipe["curriculum"] = "mixed" if len(domains) > 1 else f"{domains[0]}-only"
        recipe |= {"output_dir": folder, "eval": {"at": []}}
        with opened_parts(parse_recipe(recipe, rating.recipe), Observer()) as parts:
            yield parts
