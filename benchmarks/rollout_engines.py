"""The rollout engines side by side: the same recipe, prompts and seed, by transformers and by vLLM.

    python benchmarks/rollout_engines.py [--recipe nano] [--model nano] [--repeats 3]
        [--steps 4] [--threads 1] [--set key=value]...

Each repeat is two real `srpo train`, one after the other; who goes first alternates. `first step`
is wall clock from the start of the command to the end of step 1: interpreter, imports, both copies
of the model, the engine's own start, the checkpoint of step 0 and the step. All else leaves the
first step out, which warms up. Where both sample from the same weights, they do not sample the
same tokens, so lengths differ a little: tokens/s is the fairer figure. `mismatch` is the largest
difference between the engine's and the learner's log-probability of a token, over all steps.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from timed_train import PHASES, TimedRun, machine, shares, timed_train

ENGINES = ("transformers", "vllm")

Figures = dict[str, float]

LINES = (  # figure, label, digits
    ("first", "first step after, s", 1),
    ("step", "seconds per step", 2),
    ("tokens", "generated tokens a step", 0),
    ("tokens/s", "tokens/s, whole step", 0),
    ("decoded/s", "tokens/s, rollout alone", 0),
    ("weights", "weight update, s", 3),
    ("probe", "freshness check, s", 3),
    *((f"share {name}", f"share of {name}, %", 1) for name in (*PHASES, "rest")),
    ("cpu", "CPU seconds of the run", 1),
    ("memory", "peak memory, MB", 0),
    ("gpu", "peak GPU memory, MB", 0),
    ("mismatch", "largest mismatch, nats", 6),
)


def figures(run: TimedRun) -> Figures:
    """Medians over the steps after the first; shares and rates from their sums."""
    rows = run.rows[1:]
    tokens = sum(row["tokens/step"] for row in rows)
    found = {
        "first": run.first_step_s,
        "step": statistics.median(row["seconds/step"] for row in rows),
        "tokens": statistics.median(row["tokens/step"] for row in rows),
        "tokens/s": tokens / sum(row["seconds/step"] for row in rows),
        "decoded/s": tokens / sum(row["seconds/rollout"] for row in rows),
        "weights": statistics.median(row["seconds/weights"] for row in rows),
        "probe": statistics.median(row.get("seconds/probe", 0.0) for row in rows),
        "cpu": run.cpu_s,
        "memory": run.memory_mb,
        "mismatch": max(row["mismatch/max"] for row in run.rows),
    }
    found |= {f"share {name}": 100 * share for name, share in shares(rows).items()}
    return found if run.gpu_mb is None else found | {"gpu": run.gpu_mb}


def spread(values: list[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def table(runs: list[dict[str, Figures]]) -> None:
    """Medians over the repeats with their range; the ratio is of each repeat's two runs."""
    print(f"\n{'':26}" + "".join(f"{name:>34}" for name in (*ENGINES, "vllm / transformers")))
    for name, label, digits in LINES:
        if name not in runs[0]["vllm"]:
            continue
        plain, fast = ([run[engine][name] for run in runs] for engine in ENGINES)
        cells = [spread(plain, digits), spread(fast, digits)]
        if min(plain) > 0 and not name.startswith("share"):
            cells.append(spread([b / a for a, b in zip(plain, fast, strict=True)], 2))
        print(f"{label:26}" + "".join(f"{cell:>34}" for cell in cells))


def main(
    recipe: Annotated[str, typer.Option(help="What to train: a file or a name.")] = "nano",
    model: Annotated[str | None, typer.Option(help="A folder, instead of the recipe's.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each engine.")] = 3,
    steps: Annotated[int, typer.Option(min=2, help="Steps of a run.")] = 4,
    threads: Annotated[int, typer.Option(min=1, help="OMP_NUM_THREADS.")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, for both engines.")
    ] = None,
) -> None:
    changes: dict[str, object] = {"max_steps": steps, "eval.at": "[]", "log.rollouts": "false"}
    changes |= dict(text.split("=", 1) for text in settings or [])
    changes |= {"model": model} if model else {}
    print(machine())
    runs: list[dict[str, Figures]] = []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            found = {}
            for engine in ENGINES if repeat % 2 == 0 else ENGINES[::-1]:
                run = Path(folder) / f"{engine}-{repeat}"
                timed = timed_train(recipe, changes | {"rollout.engine": engine}, run, threads)
                found[engine] = figures(timed)
                print(f"repeat {repeat + 1}, {engine}: first step after"
                      f" {found[engine]['first']:.1f} s, {found[engine]['tokens/s']:.0f} tokens/s",
                      flush=True)  # fmt: skip
            runs.append(found)
    table(runs)


if __name__ == "__main__":
    typer.run(main)
