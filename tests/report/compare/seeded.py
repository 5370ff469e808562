"""Runs over seeds whose recipes differ in what a test says, as their folders are left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from runs import write_lines

DATA = {
    "train": [
        {"path": "m.jsonl", "domain": "math"},
        {"path": "c.jsonl", "domain": "code"},
    ],
    "eval": [{"path": "h.jsonl", "domain": "math"}],
}


def recipe(seed: int, run: Path, **changes: Any) -> dict[str, Any]:
    """A recipe; changes are dotted with `__`."""
    tree: dict[str, Any] = {"model": "nano", "seed": seed, "output_dir": str(run), "max_steps": 100}
    tree["data"] = json.loads(json.dumps(DATA))
    for key, value in changes.items():
        *parents, last = key.split("__")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def make(
    folder: Path,
    seed: int,
    points: list[tuple[int, int, float]] = ((0, 0, 0.2), (100, 100_000, 0.6)),  # pyright: ignore
    problems: int = 64,
    finished: bool = True,
    problem_print: str = "",
    held_out_print: str = "",
    domains: tuple[str, ...] = ("math",),
    **changes: Any,
) -> Path:
    """A run whose held-out pass@1 goes through the points (step, tokens, value)."""
    folder.mkdir(parents=True)
    text = yaml.safe_dump(recipe(seed, folder, **changes))
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    result = [
        (s, t, {"pass@1": v, "mean_tokens": 20.0, "problems": problems}) for s, t, v in points
    ]
    extra = {"fingerprint": held_out_print} if held_out_print else {}
    evals = [
        {"point": f"at{s}", "step": s, "generated_tokens": t, **extra, **dict.fromkeys(domains, r)}
        for s, t, r in result
    ]
    write_lines(folder / "evals.jsonl", evals)
    last_step, last_tokens = points[-1][0] or 1, points[-1][1] or 1000
    write_lines(
        folder / "metrics.jsonl",
        [
            {
                "step": n,
                "stage": "train",
                "epoch": 0,
                "tokens/generated": last_tokens * n // last_step,
                "seconds/total": 2.0 * n,
                "accuracy/pool": n / last_step,
                "length/math": 10.0 + n,
            }
            for n in range(1, last_step + 1)
        ],
    )
    if finished:
        (folder / "summary.json").write_text("{}")
    if problem_print:
        state = folder / "checkpoints" / "step-000100" / "state.json"
        state.parent.mkdir(parents=True)
        state.write_text(json.dumps({"problems": problem_print}))
    return folder


def strings(*paths: Path) -> list[str]:
    return [str(p) for p in paths]
