"""Folders as `srpo eval` leaves them, of made-up responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.evaluation.numbers import numbers, solved
from srpo.evaluation.store import Responses, answer_of

EVIL = "<script>alert(1)</script> | `x` \u202e ]]>"


def row(id_: str, sample: int, outcome: str, **more: Any) -> dict[str, Any]:
    made = {"benchmark": "set", "id": id_, "sample": sample, "domain": "math", "tokens": 5}
    made |= {"response": f"answer {sample}", "finish_reason": "stop", "answer": "1", "detail": ""}
    return made | {"outcome": outcome} | more


def write(out: Path, problems: list[list[dict[str, Any]]], **config: Any) -> Path:
    """As `srpo eval` would leave it."""
    n = len(problems[0])
    for part in range(0, len(problems), 8):
        rows = [r for rows in problems[part : part + 8] for r in rows]
        Responses(out).write("set", part // 8, rows)
    asked = [
        {"benchmark": "set", "id": rows[0]["id"], "prompt": f"? {EVIL}", "gold": EVIL}
        for rows in problems
    ]
    pq.write_table(pa.Table.from_pylist(asked), out / "problems.parquet")
    found = numbers([solved(list(map(answer_of, rows)), True) for rows in problems], n)
    rollout = {"temperature": 0.6, "top_p": 1.0, "max_new_tokens": 9, "engine": "vllm"}
    result = {
        "model": f"m {EVIL}",
        "config": {"samples": n, "rollout": rollout, "templates": {}} | config,
        "sets": [
            {
                "name": "set",
                "title": "Set",
                "domain": "math",
                "data": {"sha256": "00"},
                "numbers": found,
                "beside": {},
            }
        ],
    }
    (out / "result.json").write_text(json.dumps(result))
    return out


def made(tmp_path: Path, letters: list[str]) -> Path:
    names = {"c": "correct", "i": "incorrect"}
    return write(
        tmp_path,
        [[row(f"p{i}", k, names[x]) for k, x in enumerate(s)] for i, s in enumerate(letters)],
    )
