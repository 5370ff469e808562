"""Small seeded runs against their recordings: a refactoring changes nothing.

Each recording in `golden/` is what a run of a few steps on the scale model leaves behind: one for
each of the four prompt strategies, in which epochs end, and a staged one with both stages. This
test makes the runs again, by a recipe and `srpo train`, and compares metrics (wall-clock aside),
evaluations, stages, ledger and final weights. It knows the recipe, the command and the files of a
run's folder, and nothing of the code between.

How strictly depends on where it runs. The last bits of floats are the processor's and torch's own,
and where they tip a token over, all that is sampled after it is different.

- Where the platform (`this_platform`) is the recorded one: integers, names and decisions are
  equal, the weights are equal to the bit (by digest), and metrics are equal to 1e-6 of their value,
  since a mean may be summed in another order.
- Elsewhere: floats are equal to 1e-3 of their value or 1e-5, of the weights each tensor's norm and
  how far it has moved. `mismatch/` is a rounding error itself, and is small in both. All else is
  equal, step after step; but where a step after the first has sampled something else for the same
  prompts, what comes after it is not compared. (With the
  oldest instruction sets of torch, MKL and oneDNN, and with two threads, no token of the
  recordings came out otherwise, and the floats were ten times nearer.)

What is recorded has to be there and equal; a metric or a column may be added without a new
recording. To record again, and then look at the difference before it is committed:

    SRPO_RECORD_GOLDEN=1 python -m pytest tests/test_golden.py
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
import transformers
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from srpo.cli import app
from walls import needs_walls

GOLDEN = Path(__file__).parent / "golden"
RECORD = os.environ.get("SRPO_RECORD_GOLDEN") == "1"
ELSEWHERE = (1e-3, 1e-5)  # relative and absolute difference of floats
ROUNDING = 1e-3  # no mismatch of engine and learner in floats of 32 bits is larger

COMMON: dict[str, Any] = {
    "model": "nano",
    "seed": 2,
    "max_steps": 6,
    "data": {
        "train": [
            {"path": "nano:math", "domain": "math", "limit": 12},
            {"path": "nano:code", "domain": "code", "limit": 12},
        ],
        "eval": [
            {"path": "nano:math", "domain": "math", "split": "heldout", "limit": 4},
            {"path": "nano:code", "domain": "code", "split": "heldout", "limit": 4},
        ],
        "template": "{prompt}\n",
    },
    # Cool enough that some groups are all correct, which is what History Resampling drops.
    "rollout": {"group_size": 3, "temperature": 0.6, "max_new_tokens": 48, "max_rows": 64},
    "sampler": {"prompts_per_step": 8},
    "curriculum": {"kind": "mixed"},
    "verifier": {"workers": 1, "time_limit_s": 60.0},  # a busy machine is no wrong answer
    "learner": {"lr": 1e-3, "micro_batch_tokens": 1024},
    "eval": {"samples": 2},
}
# Beside the strategy, each run has settings of its own, so that more of the loop is held.
RUNS: dict[str, dict[str, Any]] = {
    "none": {
        "sampler": {"strategy": "none"},
        "loss": {"kl_coef": 0.05},
        "learner": {"updates_per_step": 2, "warmup_steps": 2},
    },
    "dynamic": {
        "sampler": {"strategy": {"kind": "dynamic", "max_rounds": 2}},
        "loss": {"clip_high": 0.28},
        "advantage": {"normalize_std": False},
    },
    "history": {
        "sampler": {"strategy": {"kind": "history", "recheck_share": 0.4}},
        "loss": {"tis_cap": 2.0},
        "advantage": {"outcome_gate": False},
    },
    "forecast": {
        "sampler": {"strategy": {"kind": "forecast", "min_prompts": 4}},
        "rollout": {"top_p": 0.95},
    },
    "staged": {
        "curriculum": {"kind": "staged", "stage1_max_steps": 3, "plateau": None},
        "max_steps": 7,
    },
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are cut up by threads, so their number shows in the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@needs_walls
@pytest.mark.parametrize("name", RUNS)
def test_the_run_is_the_recorded_one(name: str, tmp_path: Path):
    file = GOLDEN / f"{name}.json"
    now = train(name, tmp_path)
    if RECORD:
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(json.dumps({"platform": this_platform(), **now}, indent=1) + "\n")
    recorded = json.loads(file.read_text())
    same = recorded.pop("platform") == this_platform()
    assert (differences(recorded, now) if same else differences_elsewhere(recorded, now)) == []


def test_the_recordings_hold_what_they_are_for():
    runs = {name: json.loads((GOLDEN / f"{name}.json").read_text()) for name in RUNS}
    epochs = {
        name: {(r["stage"], r["epoch"]) for r in run["metrics"]} for name, run in runs.items()
    }
    dropped = {name: max(r["pool/dropped"] for r in run["metrics"]) for name, run in runs.items()}
    assert all(len(seen) > 1 for seen in epochs.values())
    assert {("stage1", 0), ("stage1", 1), ("stage2", 0), ("stage2", 1)} <= epochs["staged"]
    assert [name for name in RUNS if dropped[name]] == ["history", "forecast", "staged"]
    assert any(r["groups/discarded"] for r in runs["dynamic"]["metrics"])
    assert not any(r["errors"] for run in runs.values() for r in run["metrics"])


def test_a_difference_is_found():
    recorded = json.loads((GOLDEN / "history.json").read_text())
    for compare in (differences, differences_elsewhere):
        assert compare(recorded, recorded) == []
        for path, value in (
            ("metrics.0.loss", 0.5),
            ("metrics.4.pool/dropped", 9),
            ("metrics.5.entropy", 0.5),
            ("ledger.0.correct", 9),
            ("ledger.40.problem_id", "another"),
            ("ledger.40.decision", "open"),
            ("evals.1.math", {}),
            ("stages.0.reason", "none"),
            ("weights.model.norm.weight.norm", 1.0),
        ):
            assert compare(recorded, changed(recorded, path, value)), path


@pytest.mark.parametrize("path", ["metrics.5.entropy", "weights.model.norm.weight.norm"])
def test_elsewhere_floats_may_differ_a_little(path: str):
    recorded = json.loads((GOLDEN / "history.json").read_text())
    other = changed(recorded, path, lambda value: value * 1.0005)
    assert differences(recorded, other) == [path]
    assert differences_elsewhere(recorded, other) == []


def test_elsewhere_a_rounding_error_is_another_one():
    recorded = json.loads((GOLDEN / "history.json").read_text())
    rounded, broken = (changed(recorded, "metrics.2.mismatch/max", x) for x in (9e-5, 0.02))
    assert differences_elsewhere(recorded, rounded) == []
    assert differences_elsewhere(recorded, broken) == ["step 3: metrics.mismatch/max"]


def test_elsewhere_a_token_may_come_out_otherwise_after_the_first_step():
    recorded = json.loads((GOLDEN / "history.json").read_text())
    late = changed(recorded, "ledger.40.mean_length", 99.0)
    assert differences(recorded, late) == ["ledger.40.mean_length"]
    assert differences_elsewhere(recorded, changed(late, "metrics.5.entropy", 0.5)) == []
    assert differences_elsewhere(recorded, changed(recorded, "ledger.0.mean_length", 99.0))


# --- making a run


def train(name: str, folder: Path) -> dict[str, Any]:
    """What the run leaves, as it is recorded."""
    run = folder / "run"
    recipe = merged(merged(COMMON, RUNS[name]), {"output_dir": str(run)})
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    result = CliRunner().invoke(app, ["train", str(path)])
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    weights = run / "model/model.safetensors"
    return {
        "metrics": [without_clock(row) for row in lines(run / "metrics.jsonl")],
        "evals": lines(run / "evals.jsonl"),
        "stages": json.loads((run / "summary.json").read_text())["stages"],
        "ledger": pq.read_table(run / "ledger.parquet").to_pylist(),
        "weights": tensors(weights),
        "digest": digest(weights),
    }


def merged(tree: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    mine = {k: merged(tree.get(k, {}), v) if isinstance(v, dict) else v for k, v in over.items()}
    return {**tree, **mine}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if not k.startswith("seconds/") and k != "tokens/s"}


def tensors(path: Path) -> dict[str, dict[str, float]]:
    """Of each tensor its sum, its norm, and how far it is from the shipped weights."""
    base = importlib.resources.files("srpo.nano") / "base/model.safetensors"
    with importlib.resources.as_file(base) as file:
        before = load_file(file)
    found = {}
    for name, tensor in load_file(path).items():
        t, first = tensor.double(), before[name].double()
        away = float((t - first).norm())
        found[name] = {"sum": float(t.sum()), "norm": float(t.norm()), "moved": away}
    return found


def digest(path: Path) -> str:
    """Of the values alone, not of the file around them."""
    found = hashlib.sha256()
    for name, tensor in sorted(load_file(path).items()):
        found.update(name.encode() + tensor.numpy().tobytes())
    return found.hexdigest()


@functools.cache
def this_platform() -> dict[str, str]:
    """What floats may depend on: the processor, and the libraries that compute."""
    info: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    flags = " ".join(sorted(info.get("flags", "").split()))
    return {
        "machine": platform.machine(),
        "processor": " ".join(info.get(k, "") for k in ("vendor_id", "cpu family", "model")),
        "flags": hashlib.sha256(flags.encode()).hexdigest()[:16],
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


# --- comparing


def differences(
    recorded: Any, now: Any, relative: float = 1e-6, absolute: float = 1e-9, at: str = ""
) -> list[str]:
    """Dotted places at which `now` lacks something recorded, or has another value."""
    if isinstance(recorded, float) and isinstance(now, float):
        return [] if math.isclose(recorded, now, rel_tol=relative, abs_tol=absolute) else [at]
    if isinstance(recorded, dict) and isinstance(now, dict):
        pairs = [(key, value, now.get(key)) for key, value in recorded.items()]
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = [(i, *pair) for i, pair in enumerate(zip(recorded, now, strict=True))]
    else:
        return [] if recorded == now and type(recorded) is type(now) else [at]
    found = (differences(r, n, relative, absolute, f"{at}.{key}".strip(".")) for key, r, n in pairs)
    return [place for places in found for place in places]


def differences_elsewhere(recorded: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The same where floats are others, up to the step in which a token came out otherwise."""
    if found := differences(course(recorded), course(now), *ELSEWHERE):
        return found
    for number in range(1, len(recorded["metrics"]) + 1):
        before, after = at_step(recorded, number), at_step(now, number)
        if number > 1 and sampled(before) != sampled(after):
            return [] if prompts(before) == prompts(after) else [f"step {number}: prompts"]
        if found := differences(before, after, *ELSEWHERE):
            return [f"step {number}: {place}" for place in found]
    return differences(at_the_end(recorded), at_the_end(now), *ELSEWHERE)


def course(run: dict[str, Any]) -> dict[str, Any]:
    """What the seed alone decides, and the evaluation of the shipped weights."""
    steps = [(row["step"], row["stage"]) for row in run["metrics"]]
    return {"steps": steps, "stages": run["stages"], "base": run["evals"][0]}


def at_step(run: dict[str, Any], number: int) -> dict[str, Any]:
    rows = [row for row in run["ledger"] if row["step"] == number]
    metrics = run["metrics"][number - 1].items()
    metrics = {k: v < ROUNDING if k.startswith("mismatch/") else v for k, v in metrics}
    return {"metrics": metrics, "ledger": rows}


def prompts(step: dict[str, Any]) -> list[str]:
    return [row["problem_id"] for row in step["ledger"]]


def sampled(step: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("problem_id", "correct", "wrong", "truncated", "mean_length")
    return [tuple(row[name] for name in names) for row in step["ledger"]]


def at_the_end(run: dict[str, Any]) -> dict[str, Any]:
    """A sum over a tensor is left out: its terms cancel, so it is uncertain."""
    weights = {k: [t["norm"], t["moved"]] for k, t in run["weights"].items()}
    return {"evals": run["evals"], "weights": weights}


def changed(tree: Any, path: str, value: Any) -> Any:
    """A copy with another value (or a function of the old one) at one dotted place.

    The names of tensors have dots themselves, so a key is what the path begins with.
    """
    copy = list(tree) if isinstance(tree, list) else dict(tree)
    keys = [str(k) for k in (range(len(tree)) if isinstance(tree, list) else tree)]
    key = next(k for k in keys if path == k or path.startswith(f"{k}."))
    at: Any = int(key) if isinstance(tree, list) else key
    if path != key:
        value = changed(tree[at], path[len(key) + 1 :], value)
    copy[at] = value(tree[at]) if callable(value) else value
    return copy
