"""The answer in a response whose format is `json`."""

from __future__ import annotations

import json
from typing import Any

from srpo.verifiers.code.blocks import fenced_blocks


def json_answer(text: str) -> str | None:
    """The answer in {"answer": ...}: a text, or a number as it was written. None when there is no
    such answer, and exactly one.

    The object is all of `text`, or the content of its only ```json block, which ends it. Strict:
    no other key, none twice, no NaN or Infinity; the answer is not empty, no list, object,
    true, false or null, and valid Unicode.
    """
    blocks, unclosed = fenced_blocks(text)
    if unclosed:
        return None
    if blocks:
        language, content = blocks[0]
        alone = len(blocks) == 1 and language == "json" and text.rstrip().endswith("```")
        return _read(content) if alone else None
    return _read(text)


def _read(text: str) -> str | None:
    try:
        found = json.loads(
            text,
            object_pairs_hook=tuple,  # keeps keys that come twice
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse,
        )
        match found:
            case tuple() if len(found) == 1 and found[0][0] == "answer":
                answer = found[0][1]
            case _:
                return None
        if not isinstance(answer, str):
            return None
        answer.encode()  # a lone surrogate could not be stored
        return answer.strip() or None
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
