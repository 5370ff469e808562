"""GSM8K: https://github.com/openai/grade-school-math. The answer column is a worked solution with
calculator notes, and the number behind `####`."""

from __future__ import annotations

import re
from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, has, pass_rate, text, without_grouping

_NOTE = re.compile(r"<<[^<>\n]*>>")


def _fits(row: Row) -> bool:
    return has(row, "question", "answer") and "####" in str(row["answer"])


def _read(row: Row) -> dict[str, Any]:
    solution, mark, number = text(row, "answer").rpartition("####")
    return {
        "domain": "math",
        "prompt": text(row, "question"),
        "answer": answers(without_grouping(number.strip()) if mark else None, "answer"),
        "solution": _NOTE.sub("", solution).strip() or None,
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


GSM8K = Layout("gsm8k", _fits, _read)
