"""Runs a suite: as many runs side by side as there are cores, each a process; resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from srpo.recipe.load import load_recipe
from srpo.report.reader import Run, is_run
from srpo.reproduce.suite import Trial
from srpo.run.files import RunFiles
from srpo.run.signals import StopSignal
from srpo.types import TrainingError

POLL_S = 0.5


@dataclass
class State:
    """How far a suite is; tokens are summed over its runs."""

    runs: int
    finished: int
    running: int
    tokens: int
    budget: int


def run_suite(
    trials: Sequence[Trial], out: Path, workers: int, progress: Callable[[State], None]
) -> None:
    """Run what is not finished yet. Raises TrainingError with the log of a run that fails.

    A run that was interrupted goes on from its last checkpoint. When this is interrupted, the
    runs are asked to save and stop, and the same call goes on with them.
    """
    budgets = {trial: _budget(trial) for trial in {j.folder(out): j for j in trials}.values()}
    waiting = deque(trial for trial in budgets if not _finished(trial.folder(out)))
    running: dict[Trial, subprocess.Popen[bytes]] = {}
    with StopSignal() as stop:
        try:
            while (waiting or running) and stop.number is None:
                while waiting and len(running) < workers:
                    trial = waiting.popleft()
                    running[trial] = _start(trial, out)
                for trial, process in list(running.items()):
                    if (code := process.poll()) is not None:
                        del running[trial]
                        _check(trial, out, code)
                progress(_state(budgets, out, len(running)))
                time.sleep(POLL_S if running else 0)
        finally:
            for process in running.values():
                process.send_signal(signal.SIGTERM)
            for process in running.values():
                process.wait()
    if stop.number is not None:
        raise KeyboardInterrupt


def _start(trial: Trial, out: Path) -> subprocess.Popen[bytes]:
    folder = trial.folder(out)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if is_run(folder):
        arguments = ["resume", str(folder)]
    else:
        overrides = (*trial.overrides, f"output_dir={json.dumps(str(folder))}")
        sets = [part for override in overrides for part in ("--set", override)]
        arguments = ["train", str(trial.base), *sets]
    with _log(folder).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "srpo.cli", *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            # One core each: threads that share cores wait for each other.
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )


def _check(trial: Trial, out: Path, code: int) -> None:
    folder = trial.folder(out)
    if code or not _finished(folder):
        words = _log(folder).read_text(errors="replace").strip().splitlines()[-3:]
        raise TrainingError(
            f"{trial.experiment}, {trial.condition}, seed {trial.seed} ended with status {code}:"
            f" {' '.join(words)} (log: {_log(folder)})"
        )


def _log(folder: Path) -> Path:
    return folder.with_suffix(".log")


def _finished(folder: Path) -> bool:
    return RunFiles(folder).summary.is_file()


def _budget(trial: Trial) -> int:
    return load_recipe(trial.base, list(trial.overrides)).max_tokens or 0


def _state(budgets: dict[Trial, int], out: Path, running: int) -> State:
    folders = {trial: trial.folder(out) for trial in budgets}
    finished = {trial for trial, folder in folders.items() if _finished(folder)}
    spent = {j: Run(folder).generated_tokens() for j, folder in folders.items()}
    tokens = sum(budgets[j] if j in finished else spent[j] for j in budgets)
    return State(len(budgets), len(finished), running, tokens, sum(budgets.values()))
