"""OlympiadBench: https://github.com/OpenBMB/OlympiadBench, its problems without pictures that ask
for a final answer."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, has, pass_rate, text


def _fits(row: Row) -> bool:
    return has(row, "question", "final_answer", "answer_type")


def _read(row: Row) -> dict[str, Any]:
    """Several answers are all asked for, so they are one gold; some problems share a context."""
    gold = ",".join(answers(row["final_answer"], "final_answer"))
    parts = [part for part in (text(row, "context"), text(row, "question")) if part]
    solution = answers(row.get("solution"), "solution")
    return {
        "domain": "math",
        "prompt": "\n\n".join(parts),
        "answer": (gold,) if gold else (),
        "solution": solution[0] if solution else None,
        "pass_rate": pass_rate(row),
        "meta": meta({"topic": row.get("subfield")}, row),
    }


OLYMPIADBENCH = Layout("olympiadbench", _fits, _read)
