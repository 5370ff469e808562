"""The sharded learner and packed rows beside the plain learner.

    python benchmarks/sharded.py equal      30 steps: the same rollouts, then each its own
    python benchmarks/sharded.py speed      one rank beside one process
    python benchmarks/sharded.py packing    packed rows beside padded ones

Times are of learner steps on the scale model, one thread a process, in turns in one run.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

from srpo.learner.batch import TrainBatch, TrainRow
from srpo.learner.learner import StepStats
from srpo.learner.local import LocalLearner
from srpo.learner.sharded.learner import ShardedLearner
from srpo.learner.sharded.processes import ProcessRanks
from srpo.models import load_tokenizer
from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run import parts, session
from srpo.transfer import free_address

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from small_runs import small_recipe

app = typer.Typer(add_completion=False, help=__doc__)
STEPS = 30


def recipe_of(run: Path, **over: Any) -> Recipe:
    return small_recipe(run, max_steps=STEPS, curriculum__stage1_max_steps=12, **over)


@contextmanager
def sharded(recipe: Recipe, ranks: int) -> Iterator[ShardedLearner]:
    processes = ProcessRanks(ranks, 600.0)
    try:
        yield ShardedLearner(recipe, processes, free_address(), 600.0)
    finally:
        processes.close()


def weights(learner: Any) -> torch.Tensor:
    return torch.cat([t.detach().flatten() for _, t in learner.publish(0)])


def recorded(run: Path) -> list[TrainBatch]:
    """What a run of one process learnt from, step by step."""
    batches: list[TrainBatch] = []
    usual = parts.open_learner

    def recording(*arguments: Any) -> Any:
        learner: Any = usual(*arguments)
        step = learner.step
        learner.step = lambda batch: (batches.append(batch), step(batch))[1]
        return learner

    parts.open_learner = recording
    try:
        session.train(recipe_of(run))
    finally:
        parts.open_learner = usual
    return batches


@app.command()
def equal() -> None:
    """Weights after the same rollouts, and where two runs first sample another token."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        batches = recorded(folder / "one")
        recipe = recipe_of(folder / "none")
        plain = LocalLearner.open(recipe, load_tokenizer("nano"))
        for batch in batches:
            plain.step(batch)
        for ranks in (1, 2):
            with sharded(recipe, ranks) as learner:
                for batch in batches:
                    learner.step(batch)
                worst = float((weights(learner) - weights(plain)).abs().max())
            print(f"{ranks} ranks, {len(batches)} recorded steps: weights within {worst:.2g}")
        session.train(recipe_of(folder / "two", learner__ranks=2))
        print(first_difference(folder / "one", folder / "two"))


def first_difference(one: Path, other: Path) -> str:
    """Of what two runs sampled."""
    for step in range(1, STEPS + 1):
        texts = [
            [
                [r["text"] for r in json.loads(line)["rollouts"]]
                for line in sorted((run / "rollouts").glob(f"*{step:06d}*"))[0]
                .read_text()
                .splitlines()
            ]
            for run in (one, other)
        ]
        if texts[0] != texts[1]:
            return f"free running: step {step} is the first to sample another token"
    return f"free running: the same tokens in all {STEPS} steps"


def lognormal_rows(n: int, seed: int, most: int = 400) -> list[TrainRow]:
    """Prompts of 20 tokens, responses of a median of 55, some much longer."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        length = int(min(most, max(5, rng.lognormvariate(4.0, 0.8))))
        ids = np.array([rng.randrange(5, 60) for _ in range(length)], np.int32)
        engine = np.full(length, -1.0, np.float32)
        rows.append(TrainRow([5] * 20, ids, engine, rng.choice([1.0, -1.0])))
    return rows


def turns(steps: dict[str, Callable[[], object]], times: int = 7) -> dict[str, float]:
    """Median seconds of each, in turns; the first turn warms up."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(times + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def batch_of(rows: list[TrainRow]) -> TrainBatch:
    return TrainBatch(rows, sum(len(r.response_ids) for r in rows), len(rows))


def plain_recipe(**learner: Any) -> Recipe:
    return parse_recipe(
        {
            "model": "nano",
            "max_steps": 1000,
            "data": {"train": [{"path": "nano:math", "domain": "math"}]},
            "curriculum": "math-only",
            "learner": {"lr": 1e-6, "device": "cpu", **learner},
        },
        "of this benchmark",
    )


@app.command()
def speed() -> None:
    """One rank beside one process: what FSDP and the pipe cost."""
    torch.set_num_threads(1)
    rows = lognormal_rows(128, 1)
    recipe = plain_recipe(micro_batch_tokens=2048)
    plain = LocalLearner.open(recipe, load_tokenizer("nano"))
    with sharded(recipe, 1) as learner:
        found = turns(
            {
                "plain": lambda: plain.step(batch_of(rows)),
                "one rank": lambda: learner.step(batch_of(rows)),
            }
        )
    print({name: f"{s:.3f} s" for name, s in found.items()})
    print(f"one rank costs {found['one rank'] / found['plain']:.2f}x")


@app.command()
def packing() -> None:
    """Rows in the order in which they came, or sorted by length; padded, or packed."""
    torch.set_num_threads(1)
    rows = lognormal_rows(128, 1)
    learners = {}
    for name, packed in (("packed", True), ("padded", False)):
        learners[name] = LocalLearner.open(plain_recipe(), load_tokenizer("nano"))
        learners[name].updater.packed = packed
    unsorted = [rows[i : i + 20] for i in range(0, len(rows), 20)]  # 20 of 420 tokens at most
    found = turns(
        {
            "packed": lambda: learners["packed"].step(batch_of(rows)),
            "padded, sorted": lambda: learners["padded"].step(batch_of(rows)),
            "padded, as they came": lambda: padded_as_they_came(learners["padded"], unsorted),
        }
    )
    for name, seconds in found.items():
        print(f"{name:22} {seconds:.3f} s, {seconds / found['packed']:.2f}x of packed")


def padded_as_they_came(learner: LocalLearner, parts: list[list[TrainRow]]) -> None:
    learner.updater.update(parts, 1e4, StepStats(1e-6))


if __name__ == "__main__":
    app()
