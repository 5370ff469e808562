"""`srpo train` in a process of its own, with a stopwatch beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from srpo.metrics import Row, read_metrics

PHASES = ("rollout", "verify", "learn", "weights", "probe")
POLL_S = 0.05


@dataclass(frozen=True)
class TimedRun:
    """What a run did, and what it took."""

    rows: list[Row]
    first_step_s: float
    """From the start of the command to the end of the first step."""
    cpu_s: float
    """Of all the run's processes."""
    memory_mb: float
    """Peak of the largest process of the run, resident."""
    gpu_mb: float | None
    """Peak of all that is on the first GPU, this run's or not; None without one."""


def timed_train(
    recipe: Path | str, changes: Mapping[str, object], run: Path, threads: int
) -> TimedRun:
    """Train `recipe` with `changes`, into the folder `run`. Exits with the run's own words when
    it fails."""
    settings = {**changes, "output_dir": run}
    command = [sys.executable, "-m", "srpo.cli", "train", str(recipe)]
    command += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    log = run.with_suffix(".log")
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, OMP_NUM_THREADS=str(threads)),
        )
        first, gpu = 0.0, None
        while True:
            time.sleep(POLL_S)
            gpu = max(filter(None, (gpu, gpu_memory())), default=None)
            if not first and has_rows(run / "metrics.jsonl"):
                first = time.perf_counter() - start
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
    if process_failed := os.waitstatus_to_exitcode(status):
        text = log.read_text(errors="replace")[-3000:]
        sys.exit(f"{' '.join(command)}: exit status {process_failed}\n{text}")
    return TimedRun(
        read_metrics(run / "metrics.jsonl"),
        first,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        gpu,
    )


def has_rows(metrics: Path) -> bool:
    return metrics.exists() and metrics.stat().st_size > 0


def gpu_memory() -> float | None:
    """MiB in use on the first GPU, as nvidia-smi says."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    found = subprocess.run(query, capture_output=True, text=True)
    return float(found.stdout) if found.returncode == 0 else None


def shares(rows: list[Row]) -> dict[str, float]:
    """Each phase's share of the steps' seconds, and what is left."""
    total = sum(row["seconds/step"] for row in rows)
    parts = {n: sum(row.get(f"seconds/{n}", 0.0) for row in rows) / total for n in PHASES}
    return parts | {"rest": 1 - sum(parts.values())}


def machine() -> str:
    """What else goes on here shows in the load: runnable processes, the last minute's mean."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start"
