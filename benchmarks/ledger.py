"""What the ledger costs: time and memory for many prompts over many epochs.

    python benchmarks/ledger.py [--prompts 1000000] [--epochs 10]

One epoch is recorded through `Ledger.record` from real groups of 16 rollouts in steps of 256
prompts; each epoch is resampled by the paper's rule. The share of a step is against a step of
one second, far less than any real step of 256 x 16 rollouts takes.
"""

from __future__ import annotations

import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from srpo.algorithm.ledger import Ledger
from srpo.algorithm.sampler import Sampler
from srpo.recipe.schema import HistoryConfig, SamplerConfig
from srpo.types import FinishReason, Group, Outcome, Problem, Rollout, Verdict

STEP, GROUP = 256, 16
IDS, LOGPROBS = np.ones(2, np.int32), np.zeros(2, np.float32)


def groups_of(problems: list[Problem], rng: random.Random) -> list[Group]:
    def rollout() -> Rollout:
        outcome = rng.choice((Outcome.CORRECT, Outcome.INCORRECT))
        return Rollout(IDS, LOGPROBS, "", FinishReason.STOP, 0, Verdict(outcome))

    pool = [[rollout() for _ in range(GROUP)] for _ in range(64)]
    return [Group(p, [], rng.choice(pool)) for p in problems]


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(
    prompts: Annotated[int, typer.Option(help="Prompts in the pool.")] = 1_000_000,
    epochs: Annotated[int, typer.Option(help="Epochs to record.")] = 10,
) -> None:
    problems = [Problem(f"problem-{i}", "math", "") for i in range(prompts)]
    rng, before = random.Random(0), memory_mb()
    ledger = Ledger(problems, ["train"])
    config = SamplerConfig(prompts_per_step=STEP, strategy=HistoryConfig(recheck_share=0.05))
    sampler = Sampler(problems, config, seed=0)
    sampler.enter("train", frozenset({"math"}))
    recording = resampling = 0.0
    steps = 0
    for _ in range(epochs):
        while not sampler.epoch_over:
            groups = groups_of(sampler.next_prompts(), rng)
            start = time.perf_counter()
            ledger.record("train", sampler.epoch, steps, groups)
            recording += time.perf_counter() - start
            steps += 1
        start = time.perf_counter()
        sampler.resample(ledger)
        resampling += time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.parquet"
        start = time.perf_counter()
        ledger.write(path)
        writing, size = time.perf_counter() - start, path.stat().st_size / 2**20
    per_step = (recording + resampling) / steps
    print(f"{prompts:,} prompts x {epochs} epochs: {len(ledger):,} rows in {steps:,} steps")
    print(f"record     {recording / steps * 1e3:8.3f} ms a step of {STEP} groups")
    print(f"resample   {resampling / epochs * 1e3:8.1f} ms an epoch")
    print(f"both       {per_step * 100:8.3f} % of a step of one second")
    print(f"write      {writing:8.2f} s, {size:.1f} MiB of Parquet")
    print(f"memory     {memory_mb() - before:8.0f} MiB above the {before:.0f} MiB of the problems")


if __name__ == "__main__":
    typer.run(main)
