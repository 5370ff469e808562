"""The demo's speed beside busy loops of equal priority, by how threads wait for each other.

    python benchmarks/busy_machine.py [--loops 0,1,2,4] [--steps 5] [--repeats 1]

Tokens per second of `srpo train nano`, the median of its steps after the first. A column sets the
environment: nothing (what `srpo` does by itself), OpenMP's own default,
`OMP_WAIT_POLICY=PASSIVE`, one thread, and what `--spins` asks for. Columns take turns, so that
other work on the machine meets all of them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parent))
from timed_train import machine

from srpo.metrics import read_metrics

COLUMNS = {
    "srpo's default": {},
    "OpenMP's default": {"GOMP_SPINCOUNT": "300000"},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "KMP_BLOCKTIME")


def main(
    loops: Annotated[
        str, typer.Option(help="How many busy loops beside it, each in turn.")
    ] = "0,1,2,4",
    steps: Annotated[int, typer.Option(help="Steps of a run; the first is not counted.")] = 5,
    repeats: Annotated[int, typer.Option(help="Runs of each kind.")] = 1,
    spins: Annotated[str, typer.Option(help="More columns, for example 100,10000.")] = "",
) -> None:
    columns = COLUMNS | {f"{n} spins": {"GOMP_SPINCOUNT": str(n)} for n in _numbers(spins)}
    print(machine())
    print("| beside | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for n in _numbers(loops):
        with busy(n):
            runs = [[speed(setting, steps) for setting in columns.values()] for _ in range(repeats)]
        medians = [statistics.median(column) for column in zip(*runs, strict=True)]
        what = "nothing" if n == 0 else f"{n} busy loop{'s' * (n > 1)}"
        print(f"| {what} | " + " | ".join(f"{m:,.0f}" for m in medians) + " |", flush=True)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


@contextmanager
def busy(loops: int) -> Iterator[None]:
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def speed(setting: dict[str, str], steps: int) -> float:
    """Generated tokens per second of whole steps."""
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        changes = {"output_dir": run, "max_steps": steps, "eval.at": "[]", "log.rollouts": "false"}
        command = [sys.executable, "-m", "srpo.cli", "train", "nano"]
        command += [p for name, value in changes.items() for p in ("--set", f"{name}={value}")]
        subprocess.run(command, env=clean | setting, check=True, capture_output=True)
        rows = read_metrics(run / "metrics.jsonl")[1:]
    return statistics.median(row["tokens/s"] for row in rows)


if __name__ == "__main__":
    typer.run(main)
