"""What the driver itself does in one step: seconds of each part, and its memory at the most.

    python benchmarks/driver.py [--prompts 256] [--group 32] [--tokens 10000] [--ranks 32]

Everything of `Trainer.train_step` but engine, verifiers and learner, by the functions that it
calls.
Rollouts are made up: random tokens and log-probabilities, 5,000 to 15,000 of them, with four
characters of text a token; as pickles, one a group, as they come from another process. Rows go to
ranks as one pickle each, of which one is in memory at a time. What is made up is not timed, and its
pickles are not counted.

lists       the same tokens and log-probabilities as Python's lists: measured on one group of 32
"""

from __future__ import annotations

import pickle
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from srpo.algorithm.ledger import Ledger
from srpo.algorithm.sampler import Sampler
from srpo.learner.batch import pack
from srpo.recipe.schema import GroupConfig, HistoryConfig, SamplerConfig
from srpo.rollout.collector import Collected
from srpo.run.clock import Clock
from srpo.run.folder import RunFolder
from srpo.run.guards import check_version, finite
from srpo.run.state import RunState
from srpo.run.stepmetrics import cost_metrics, group_metrics, pool_metrics
from srpo.types import FinishReason, Group, Outcome, Problem, Reward, Rollout, Verdict

POOL = 20_000  # prompts that there are
WORDS = ("so ", "\\frac{1}{2}", "x_1 ", "= ", "therefore ", "\n", "wait, ", "√2 ", '"a" ', "7 ")


def corpus(rng: random.Random) -> str:
    return "".join(rng.choices(WORDS, k=400_000))


def made_up(problem: Problem, n: int, tokens: int, seed: int, text: str) -> bytes:
    """A group as it comes from another process."""
    rng, rollouts = np.random.default_rng(seed), []
    for _ in range(n):
        length = int(rng.integers(tokens // 2, tokens * 3 // 2))
        start = int(rng.integers(0, len(text) - 4 * length))
        correct = bool(rng.random() < 0.5)
        rollouts.append(
            Rollout(
                rng.integers(0, 150_000, length, np.int32),
                -rng.random(length, np.float32),
                text[start : start + 4 * length],
                FinishReason.STOP,
                0,
                Verdict(Outcome.CORRECT if correct else Outcome.INCORRECT, "7"),
                Reward(float(correct), 1.0, 0.0, float(correct)),
            )
        )
    prompt = rng.integers(0, 150_000, 200).tolist()
    return pickle.dumps(Group(problem, prompt, rollouts), protocol=5)


def bytes_of_lists(group: Group) -> int:
    """How much the resident memory grows."""
    before = resident()
    kept = [(r.token_ids.tolist(), r.logprobs.tolist()) for r in group.rollouts]
    grown = resident() - before
    del kept
    return grown


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Parts:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def main(
    prompts: Annotated[int, typer.Option(help="Prompts of the step.")] = 256,
    group: Annotated[int, typer.Option(help="Rollouts of a prompt.")] = 32,
    tokens: Annotated[int, typer.Option(help="Mean tokens of a rollout.")] = 10_000,
    ranks: Annotated[int, typer.Option(help="Ranks that rows are handed to.")] = 32,
) -> None:
    problems = [Problem(f"problem-{i}", "math", f"What is {i}?", "7") for i in range(POOL)]
    ledger = Ledger(problems, ["train"])
    config = SamplerConfig(prompts_per_step=prompts, strategy=HistoryConfig(recheck_share=0.05))
    sampler = Sampler(problems, config, 0, group)
    sampler.enter("train", frozenset({"math"}))
    text = corpus(random.Random(0))
    parts, clock, state = Parts(), Clock(), RunState(step=1)
    before, groups = resident(), []

    with parts.part("prompts"):
        asked = sampler.next_prompts()
        ledger.expected_tokens(asked)
    for i, problem in enumerate(asked):
        pickled = made_up(problem, group, tokens, i, text)
        with parts.part("receive"):
            groups.append(pickle.loads(pickled))
        del pickled
    held = resident() - before
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        folder.rollouts.mkdir()
        with parts.part("guards"), finite(folder, 1, groups, GroupConfig()):
            version = check_version(groups, 0)
        with parts.part("ledger"):
            ledger.record("train", 0, 1, groups)
        with parts.part("pack"):
            selected = sampler.select(groups)
            batch = pack(selected, GroupConfig())
        size = 0
        with parts.part("rows to ranks"):
            for rank in range(ranks):
                size += len(pickle.dumps(batch.rows[rank::ranks], protocol=5))
        with parts.part("metrics"):
            state.count(groups, batch, clock)
            row = {"step": 1, "stage": "train", "epoch": 0, "policy/version": version}
            row |= pool_metrics(groups, sampler) | group_metrics(groups, len(selected))
            row |= cost_metrics(Collected(groups), state, clock)
        with parts.part("rollout file"):
            folder.write_rollouts(row, groups)
        written = folder.rollouts_of(1).stat().st_size
    most = peak() - before

    count = sum(g.tokens for g in groups)
    print(f"{prompts} x {group} rollouts, {count:,} tokens, {ranks} ranks")
    for name, seconds in parts.seconds.items():
        print(f"{name:16s} {seconds:7.3f} s")
    print(f"{'together':16s} {sum(parts.seconds.values()):7.3f} s")
    arrays = sum(r.token_ids.nbytes + r.logprobs.nbytes for g in groups for r in g.rollouts)
    print(f"arrays           {arrays / 1e9:7.2f} GB")
    lists = bytes_of_lists(groups[0]) / groups[0].tokens * count
    print(f"lists            {lists / 1e9:7.2f} GB for the same, by one group")
    print(f"rollouts         {held / 1e9:7.2f} GB with their texts")
    print(f"at the most      {most / 1e9:7.2f} GB more than before the step")
    print(f"rows to ranks    {size / 1e9:7.2f} GB, rollout file {written / 1e9:.2f} GB")


if __name__ == "__main__":
    typer.run(main)
