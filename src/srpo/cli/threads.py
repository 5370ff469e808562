"""How threads of the CPU's matrix products wait for each other.

Two threads that share a small product wait by spinning, 300,000 turns by OpenMP's own default: fast
while each has a core, and ruinous where others need the cores too, since the one that is waited for
does not run while the other spins. After SPINS turns they sleep instead. Measured by
`benchmarks/busy_machine.py`.
"""

from __future__ import annotations

import os

SPINS = 1000
# What says how threads wait, or that there is one: then nothing is changed.
THEIRS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "KMP_BLOCKTIME")


def wait_briefly() -> None:
    """Before torch is loaded, which reads this once. Processes of ours inherit it."""
    if not any(name in os.environ for name in THEIRS):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
