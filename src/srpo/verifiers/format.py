"""Whether a response keeps the format that its domain asks for: one answer, at the end."""

from __future__ import annotations

import re

from srpo.types import Domain, Problem
from srpo.verifiers.code import fenced_blocks
from srpo.verifiers.extract import boxed_spans

_ONLY_CLOSING = re.compile(r"(?:\s|[.!,;:$)\]\\]|</answer>)*")  # a full stop, $ or \] may follow


def format_ok(problem: Problem, text: str) -> bool:
    """Math: exactly one \\boxed{...}, closed and not empty, and the response ends with it
    (only whitespace, punctuation and maths delimiters follow). Code: exactly one fenced
    Python block, closed and not empty, and the response ends with it."""
    return _code_ok(text) if problem.domain is Domain.CODE else _math_ok(text)


def _math_ok(text: str) -> bool:
    spans, unclosed = boxed_spans(text)
    if unclosed or len(spans) != 1:
        return False
    _, start, end = spans[0]
    return bool(text[start:end].strip()) and bool(_ONLY_CLOSING.fullmatch(text, end + 1))


def _code_ok(text: str) -> bool:
    blocks, unclosed = fenced_blocks(text)
    if unclosed or len(blocks) != 1:
        return False
    language, content = blocks[0]
    ends = text.rstrip().endswith("```")
    return language in ("python", "python3", "py") and bool(content.strip()) and ends
