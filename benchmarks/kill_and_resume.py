"""Kill a small run with SIGKILL at random moments, resume it, and compare with a whole one.

    python benchmarks/kill_and_resume.py [--moments 20] [--ranks 2]

Weights, ledger, metrics (less wall-clock), rollouts and evaluations must be equal bit for bit.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from small_runs import differences, finish, signal_when_training, small_recipe, srpo, write_recipe


def main(
    moments: Annotated[int, typer.Option(help="Random moments to kill at.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    ranks: Annotated[int, typer.Option(help="Processes of the learner.")] = 1,
) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = write_recipe(
            small_recipe(folder / "whole", learner__ranks=ranks), folder / "whole.yaml"
        )
        process = srpo("train", whole)
        signal_when_training(process, folder / "whole", 0.0, signal.SIGCONT)
        start = time.perf_counter()
        code, output = finish(process)
        assert code == 0, output
        training = time.perf_counter() - start
        failures = 0
        for moment in range(moments):
            run = folder / f"run-{moment}"
            recipe = write_recipe(
                small_recipe(run, learner__ranks=ranks), folder / f"{moment}.yaml"
            )
            delay, kills = rng.uniform(0, training), 1
            process = srpo("train", recipe)
            signal_when_training(process, run, delay, signal.SIGKILL)
            finish(process)
            done = len((run / "metrics.jsonl").read_bytes().splitlines())
            if rng.random() < 0.3 and not (run / "summary.json").exists():  # and once more
                kills += 1
                process = srpo("resume", run)
                time.sleep(rng.uniform(0, training + 5))
                process.kill()
                finish(process)
            if not (run / "summary.json").exists():
                code, output = finish(srpo("resume", run))
                assert code == 0, output
            different = differences(folder / "whole", run)
            failures += bool(different)
            print(
                f"{moment + 1:3}: killed {kills}x, first after {delay:5.2f} s ({done} rows):"
                f" {', '.join(different) or 'equal'}",
                flush=True,
            )
    print(f"{moments - failures} of {moments} equal")
    raise typer.Exit(bool(failures))


if __name__ == "__main__":
    typer.run(main)
