"""Small real runs of the scale model, and what it means for two runs to be equal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from forked import Forked
from srpo.metrics import WALL_CLOCK, read_metrics
from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import Recipe


def small_recipe(output_dir: Path, **overrides: Any) -> Recipe:
    """Seconds, not minutes: 4 prompts x 4 rollouts a step. Keys are dotted with `__`."""
    tree: dict[str, Any] = {
        "model": "nano",
        "seed": 3,
        "output_dir": str(output_dir),
        "max_steps": 5,
        "data": {
            "train": [
                {"path": "nano:math", "domain": "math", "limit": 10},
                {"path": "nano:code", "domain": "code", "limit": 10},
            ],
            "eval": [
                {"path": "nano:math", "domain": "math", "split": "heldout", "limit": 2},
                {"path": "nano:code", "domain": "code", "split": "heldout", "limit": 2},
            ],
            "template": "{prompt}\n",
        },
        "rollout": {"group_size": 4, "max_new_tokens": 48, "max_rows": 64},
        "sampler": {"prompts_per_step": 4},
        "curriculum": {"stage1_max_steps": 2, "plateau": None},
        "learner": {"lr": 1e-3, "micro_batch_tokens": 512},
        "eval": {"samples": 4},
        "checkpoint": {"every": 2},
    }
    for key, value in overrides.items():
        *parents, last = key.split("__")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        if last == "kind":  # settings of another kind go, as with --set
            node.clear()
        node[last] = value
    return parse_recipe(tree, "test")


def write_recipe(recipe: Recipe, path: Path) -> Path:
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    return path


def srpo(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """The command as a user starts it, on one thread so that tests stay out of each other's way."""
    return subprocess.Popen(
        [sys.executable, "-m", "srpo.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, OMP_NUM_THREADS="1"),
        **options,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def signal_when_training(
    process: subprocess.Popen[str] | Forked, run: Path, delay: float, number: signal.Signals
) -> None:
    """Send a signal `delay` seconds after the run's folder is there; harmless if it is over."""
    while process.poll() is None and not (run / "metrics.jsonl").exists():
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(number)


def differences(one: Path, other: Path) -> list[str]:
    """What two finished runs do not have in common, wall-clock aside. Empty: equal bit for bit."""
    found = []
    if (one / "model/model.safetensors").read_bytes() != (
        other / "model/model.safetensors"
    ).read_bytes():
        found.append("weights")
    if not pq.read_table(one / "ledger.parquet").equals(pq.read_table(other / "ledger.parquet")):
        found.append("ledger")
    if _timeless(one) != _timeless(other):
        found.append("metrics")
    for name in (
        "evals.jsonl",
        *sorted(f"rollouts/{p.name}" for p in (one / "rollouts").iterdir()),
    ):
        if (one / name).read_bytes() != (other / name).read_bytes():
            found.append(name)
    summaries = [json.loads((run / "summary.json").read_text()) for run in (one, other)]
    for summary in summaries:
        del summary["seconds"]
    return found if summaries[0] == summaries[1] else [*found, "summary"]


def _timeless(run: Path) -> list[dict[str, Any]]:
    rows = read_metrics(run / "metrics.jsonl")
    return [{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in rows]
