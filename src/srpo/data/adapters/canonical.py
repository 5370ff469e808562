"""Our own rows: those of `srpo.data.problem`, with `reference` beside them, and curated ones."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, from_json, pass_rate, text
from srpo.data.curate.judged import SCHEMA
from srpo.data.messages import one_turn
from srpo.data.problem import KEYS
from srpo.errors import RowFault
from srpo.types import short

_KNOWN = {*KEYS, *SCHEMA.names}


def _fits(row: Row) -> bool:
    return "prompt" in row and ("answer" in row or "tests" in row) and set(row) <= _KNOWN


def _read(row: Row) -> dict[str, Any]:
    """`meta` may carry reference and system message, as problems do."""
    domain = row.get("domain") or ("code" if row.get("tests") is not None else "math")
    if domain not in ("math", "code"):
        raise RowFault(f"domain is {short(domain)}: expected math or code")
    turn, more = one_turn(row["prompt"]), dict(from_json(row.get("meta") or {}, "meta"))
    if turn is None:
        raise RowFault(f"prompt is {short(row['prompt'])}: expected a text or messages of one turn")
    system, reference = more.pop("system", row.get("system")), more.pop("reference", None)
    found = {
        "domain": domain,
        "prompt": turn[0] or "",
        "system": turn[1] if turn[1] is not None else system,
        "pass_rate": pass_rate(more | row),
        "solution": row.get("solution"),
        "meta": more | meta(more, row),
        "changes": tuple(row.get("changes") or ()),
    }
    if domain == "math":
        return found | {"answer": answers(row.get("answer"), "answer")}
    tests = from_json(row.get("tests") or None, "tests")
    return found | {"tests": tests, "reference": text(row, "reference") or reference}


CANONICAL = Layout("canonical", _fits, _read)
