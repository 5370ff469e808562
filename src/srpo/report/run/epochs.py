"""What the ledger says of each epoch: its totals, and how hard its prompts were for the policy of
its time."""

from __future__ import annotations

from pathlib import Path

from srpo.errors import in_one_line
from srpo.report.plain import printable
from srpo.report.reader import Record
from srpo.types import UserError

BUCKETS = ("all wrong", "up to 1/4", "up to 1/2", "up to 3/4", "below 1", "all correct")
EDGES = (0.0, 0.25, 0.5, 0.75)  # a bucket holds its upper edge; 1 is a bucket of its own


def epochs(ledger: Path) -> list[Record]:
    """The ledger summed up by stage and epoch, in the order of training.

    Counts: prompts (groups), errored rollouts, dropped prompts. Shares of groups: informative,
    all_correct, all_wrong. Share of rollouts: truncated. `over`: its decisions are made. Raises
    UserError for a damaged file.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        t = pq.read_table(ledger)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{str(ledger)!r} is damaged ({in_one_line(error, 200)}); delete it, the report works"
            " without"
        ) from error
    names = ("step", "correct", "wrong", "errored", "truncated")
    # As int64: totals overflow the columns' int16.
    n = {name: t[name].to_numpy().astype(np.int64) for name in names}
    right, wrong = n["correct"] > 0, n["wrong"] > 0
    n["rollouts"] = n["correct"] + n["wrong"] + n["errored"]
    flags = {
        "informative": right & wrong,
        "all_correct": right & ~wrong,
        "all_wrong": wrong & ~right,
    }
    decision = t["decision"].cast(pa.string())
    for name, value in (("dropped", "drop"), ("open", "open")):
        flags[name] = pc.call_function("equal", [decision, pa.scalar(value)]).to_numpy()
    tokens = t["mean_length"].to_numpy().astype(np.float64) * n["rollouts"]
    flat = pa.table(
        {"stage": t["stage"].cast(pa.string()), "epoch": t["epoch"], "tokens": pa.array(tokens)}
        | {name: pa.array(values) for name, values in n.items()}
        | {name: pa.array(values.astype(np.int64)) for name, values in flags.items()}
    )
    summed = ("tokens", "rollouts", "errored", "truncated", *flags)
    grouped = flat.group_by(["stage", "epoch"]).aggregate(
        [("step", "min"), ("stage", "count"), *((name, "sum") for name in summed)]
    )
    return [_epoch(row) for row in sorted(grouped.to_pylist(), key=lambda r: r["step_min"])]


def _epoch(row: Record) -> Record:
    prompts, rollouts = row["stage_count"], max(row["rollouts_sum"], 1)
    shares = ("informative", "all_correct", "all_wrong")
    return {
        "stage": row["stage"],
        "epoch": row["epoch"],
        "prompts": prompts,
        **{n: row[f"{n}_sum"] / prompts for n in shares},
        "errored": row["errored_sum"],
        "truncated": row["truncated_sum"] / rollouts,
        "mean_length": row["tokens_sum"] / rollouts,
        "dropped": row["dropped_sum"],
        "over": row["open_sum"] == 0,
    }


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
