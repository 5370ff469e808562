"""Synthetic run folders with random content, in the formats that a run leaves."""

from __future__ import annotations

import json
import math
import random
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

RECIPE = """\
model: nano
max_steps: {steps}
output_dir: {run}
data:
  train:
    - {{path: "nano:math", domain: math}}
    - {{path: "nano:code", domain: code}}
"""


def metrics_rows(steps: int, stage2_at: int, seed: int = 0) -> list[Row]:
    """A run that learns: math first; code from `stage2_at` on; the pool shrinks by epochs."""
    r = random.Random(seed)
    rows: list[Row] = []
    generated = trained = 0
    for step in range(1, steps + 1):
        second = step >= stage2_at
        local = step - stage2_at if second else step - 1
        grown = 1 - math.exp(-step / (steps / 4))
        code = 0.25 + 0.5 * (1 - math.exp(-local / (steps / 6)))
        noise = partial(r.gauss, 0)
        row: Row = {"step": step, "stage": "stage2" if second else "stage1", "epoch": local // 24}
        row["accuracy/math"] = min(1.0, max(0.0, 0.25 + 0.5 * grown + noise(0.05)))
        row["length/math"] = 20 + 24 * grown + noise(1.5)
        if second:
            row["accuracy/code"] = min(1.0, max(0.0, code + noise(0.05)))
            row["length/code"] = 18 + 14 * grown + noise(1)
        right = min(0.9, max(0.02, 0.3 * grown - 0.05 * (local // 24) + noise(0.04)))
        wrong = min(0.9 - right, max(0.02, 0.3 - 0.2 * grown + noise(0.04)))
        row |= {"groups/all_correct": right, "groups/all_wrong": wrong}
        row["groups/informative"] = 1 - right - wrong
        accuracy = row["accuracy/math"]
        row |= {"reward/accuracy": accuracy, "reward/format": min(1.0, 0.7 + 0.3 * grown)}
        row |= {"reward/language": 0.0, "reward/mean": accuracy + 0.1 * row["reward/format"]}
        row["length/mean"] = row["length/math"]
        row["pool/size"] = (900 if second else 768) - 150 * (local // 24)
        row["entropy"] = 0.6 * math.exp(-step / steps) + abs(noise(0.01))
        tokens = int(512 * row["length/math"])
        generated, trained = generated + tokens, trained + tokens // 2
        row |= {"tokens/generated": generated, "tokens/trained": trained, "tokens/step": tokens}
        row |= {"seconds/step": 3.0 + abs(noise(0.5)), "seconds/total": 3.2 * step}
        row["tokens/s"] = tokens / row["seconds/step"]
        rows.append(row)
    return rows


def eval_line(point: str, step: int, math_pass: float, code_pass: float, tokens: float) -> Row:
    def domain(value: float, length: float) -> Row:
        return {
            "pass@1": value,
            "pass@32": min(1.0, value + 0.4),
            "mean_tokens": length,
            "problems": 64,
            "pass@1_low": value - 0.04,
            "pass@1_high": value + 0.04,
        }

    return {
        "point": point,
        "step": step,
        "generated_tokens": step * 10_000,
        "math": domain(math_pass, tokens),
        "code": domain(code_pass, tokens * 0.8),
    }


def ledger_rows(epochs: list[tuple[str, int, int]], seed: int = 0) -> list[Row]:
    """Rows for (stage, epoch, prompts), 16 rollouts each, the last epoch not over."""
    r = random.Random(seed)
    rows: list[Row] = []
    for place, (stage, epoch, prompts) in enumerate(epochs):
        last = place == len(epochs) - 1
        for n in range(prompts):
            errored = r.choice([0, 0, 0, 1])
            correct = r.choice([0, r.randint(0, 16 - errored), 16 - errored])
            wrong = 16 - errored - correct
            decision = "open" if last else "keep" if wrong else "drop"
            rows.append(
                {
                    "problem_id": f"p{n}",
                    "domain": "math",
                    "stage": stage,
                    "epoch": epoch,
                    "step": place * 10 + n // 32 + 1,
                    "correct": correct,
                    "wrong": wrong,
                    "errored": errored,
                    "truncated": r.randint(0, 2),
                    "mean_length": r.uniform(10, 60),
                    "decision": decision,
                    "reason": "all correct" if decision == "drop" else "mixed",
                }
            )
    return rows


LEDGER_SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("stage", pa.dictionary(pa.int32(), pa.string())),
        ("epoch", pa.int32()),
        ("step", pa.int32()),
        ("correct", pa.int16()),
        ("wrong", pa.int16()),
        ("errored", pa.int16()),
        ("truncated", pa.int16()),
        ("mean_length", pa.float32()),
        ("decision", pa.dictionary(pa.int32(), pa.string())),
        ("reason", pa.string()),
    ]
)


def write_ledger(path: Path, rows: list[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, LEDGER_SCHEMA), path)
    return path


def group(problem: str, outcomes: str, step: int = 1, domain: str = "math", **over: Any) -> Row:
    """A group line; `outcomes` has a letter a rollout: c, i or e."""
    names = {"c": "correct", "i": "incorrect", "e": "error"}
    rollouts = [
        {
            "text": f"answer {n} of {problem}",
            "tokens": 30 + n,
            "finish_reason": "stop",
            "outcome": names[letter],
            "answer": str(n),
            "detail": f"detail {n}",
            "reward": None
            if letter == "e"
            else {"accuracy": 1.0, "format": 1.0, "language": 0.0, "total": 1.1},
        }
        for n, letter in enumerate(outcomes)
    ]
    line = {"step": step, "stage": "stage1", "epoch": 0, "problem_id": problem, "domain": domain}
    return {**line, "prompt": f"question {problem}", "rollouts": rollouts, **over}


def write_lines(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_groups(run: Path, groups: list[Row]) -> None:
    for step in {g["step"] for g in groups}:
        rows = [g for g in groups if g["step"] == step]
        write_lines(run / "rollouts" / f"step-{step:06d}.jsonl", rows)


def make_run(folder: Path, steps: int = 110, stage2_at: int = 58, finished: bool = True) -> Path:
    """A run's folder with everything that `srpo report` reads."""
    run = folder / "run"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text(RECIPE.format(steps=steps, run=run), encoding="utf-8")
    rows = metrics_rows(steps, stage2_at)
    write_lines(run / "metrics.jsonl", rows)
    evals = [eval_line("base", 0, 0.21, 0.28, 21.0)]
    write_ledger(run / "ledger.parquet", ledger_rows([("stage1", 0, 60), ("stage1", 1, 40)]))
    if finished:
        evals.append(eval_line("stage1", stage2_at - 1, 0.55, 0.30, 44.0))
        evals.append(eval_line("final", steps, 0.62, 0.71, 42.0))
        summary = {
            "steps": steps,
            "generated_tokens": rows[-1]["tokens/generated"],
            "trained_tokens": rows[-1]["tokens/trained"],
            "seconds": 352.0,
            "informative_groups": [0.5, 0.6, 0.55],
            "stages": [
                {"name": "stage1", "entered_at_step": 1, "reason": "start"},
                {"name": "stage2", "entered_at_step": stage2_at, "reason": "plateau of accuracy"},
            ],
            "eval": evals,
        }
        (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    write_lines(run / "evals.jsonl", evals)
    return run
