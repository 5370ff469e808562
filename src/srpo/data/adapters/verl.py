"""verl's rows, which DAPO-Math-17k has: https://verl.readthedocs.io (Prepare Data),
https://huggingface.co/datasets/BytedTsinghua-SIA/DAPO-Math-17k."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, from_json, has, item, pass_rate
from srpo.data.adapters.wrappers import unwrapped
from srpo.data.messages import one_turn
from srpo.errors import RowFault
from srpo.types import short

_CODE = ("code", "coding")


def _fits(row: Row) -> bool:
    return has(row, "prompt", "reward_model") and not isinstance(row["prompt"], str)


def read_verl(row: Row) -> dict[str, Any]:
    question, system = _question(row)
    truth = item(row, "reward_model").get("ground_truth")
    column, extra = "reward_model.ground_truth", item(row, "extra_info")
    found = {
        "prompt": unwrapped(question),
        "system": system,
        "pass_rate": pass_rate(extra | row),
        "meta": meta(row, extra),
    }
    if _is_code(row, truth):
        return found | {"domain": "code", "tests": cases_of(truth, column, question)}
    return found | {"domain": "math", "answer": answers(truth, column)}


def _question(row: Row) -> tuple[str, str | None]:
    messages = from_json(row["prompt"], "prompt")
    turn = one_turn(messages)
    if turn is None or not isinstance(turn[0] or "", str):
        raise RowFault(f"prompt is {short(messages)}: expected messages of one turn")
    return turn[0] or "", turn[1]


def _is_code(row: Row, truth: Any) -> bool:
    """By the row's ability; where that says nothing known, by tests standing for the truth."""
    ability = str(row.get("ability") or "").lower()
    if ability.startswith("math") or ability in _CODE:
        return ability in _CODE
    if isinstance(truth, str) and truth.lstrip()[:1] in ("{", "[") and '"inputs"' in truth:
        return True
    return isinstance(truth, dict) and has(truth, "inputs", "outputs")


VERL = Layout("verl", _fits, read_verl)
