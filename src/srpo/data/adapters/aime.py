"""AIME, as several sets spell it: `Problem`, `Answer`, `ID` or small letters with a link.

https://huggingface.co/datasets/Maxwell-Jia/AIME_2024, https://github.com/QwenLM/Qwen2.5-Math,
https://github.com/eth-sri/matharena
"""

from __future__ import annotations

import re
from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked

_AIME = re.compile("aime", re.I)


def _fits(row: Row) -> bool:
    marks = (str(row.get(column, "")) for column in ("url", "id", "source"))
    return has(row, "Problem", "Answer") or (
        has(row, "problem", "answer") and any(map(_AIME.search, marks))
    )


def _read(row: Row) -> dict[str, Any]:
    """Answers are whole numbers of up to three digits, some written with all three: 025."""
    found = read_worked(row)
    found["answer"] = tuple(
        str(int(a)) if a.isdecimal() and len(a) <= 3 else a for a in found["answer"]
    )
    return found


AIME = Layout("aime", _fits, _read)
