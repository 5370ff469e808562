"""How long OpenMP's threads wait for each other by spinning, before torch reads it."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

# What says how threads wait, or that there is nothing to wait for: then the user has decided.
WAITING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "KMP_BLOCKTIME")
# OpenMP's own is 300,000. A thread that waits for one that another program has pushed off its core
# spins through its own share of the processor. On a quiet machine so few spins cost nothing; on a
# busy one it is best to hardly spin at all (benchmarks/busy_machine.py).
QUIET, BUSY = "10000", "100"
LOADAVG = Path("/proc/loadavg")


def wait_politely() -> None:
    """Set it for this process and its children, unless the user has."""
    if not any(name in os.environ for name in WAITING):
        os.environ["GOMP_SPINCOUNT"] = BUSY if others_run() else QUIET


def others_run() -> bool:
    """Whether something else wants a processor right now, most of three times that one looks."""
    try:
        return statistics.median(_running() for _ in range(3)) > 1  # one is this process
    except (OSError, ValueError, IndexError):  # no Linux
        return False


def _running() -> int:
    time.sleep(0.003)
    return int(LOADAVG.read_text().split()[3].partition("/")[0])
