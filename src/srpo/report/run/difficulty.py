"""How hard the prompts of each epoch were for the policy of its time, from the ledger."""

from __future__ import annotations

from pathlib import Path

from srpo.report.plain import printable

BUCKETS = ("all wrong", "up to 1/4", "up to 1/2", "up to 3/4", "below 1", "all correct")
EDGES = (0.0, 0.25, 0.5, 0.75)  # a bucket holds its upper edge; 1 is a bucket of its own


def bucket_shares(ledger: Path) -> tuple[list[str], list[tuple[float, str]], list[list[float]]]:
    """By epoch in the order of training: its name, and each bucket's share of its groups.

    Returns names (E,), where each stage starts as (position, stage), shares (E, 6). A group
    whose rollouts all errored has no pass rate and is left out; so is an epoch of such alone.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    t = pq.read_table(ledger, columns=["stage", "epoch", "step", "correct", "wrong"])
    right, wrong = (t[n].to_numpy().astype(np.int64) for n in ("correct", "wrong"))
    valid = right + wrong > 0
    rate = right[valid] / (right + wrong)[valid]
    bucket = np.where(rate == 1, len(BUCKETS) - 1, np.searchsorted(EDGES, rate))
    named = [printable(s) for s in t["stage"].cast(pa.string()).to_pylist()]
    stages = np.array(named, dtype=object)[valid]
    epochs, steps = t["epoch"].to_numpy()[valid], t["step"].to_numpy()[valid]
    first: dict[tuple[str, int], int] = {}
    counts: dict[tuple[str, int], np.ndarray] = {}
    for stage, epoch in dict.fromkeys(zip(stages, epochs, strict=True)):
        mine = (stages == stage) & (epochs == epoch)
        first[stage, epoch] = int(steps[mine].min())
        counts[stage, epoch] = np.bincount(bucket[mine], minlength=len(BUCKETS))
    order = sorted(counts, key=lambda key: first[key])
    starts = [(float(i), s) for i, (s, _) in enumerate(order) if i == 0 or order[i - 1][0] != s]
    shares = [[float(n) for n in counts[key] / counts[key].sum()] for key in order]
    return [f"{stage} {epoch}" for stage, epoch in order], starts, shares
