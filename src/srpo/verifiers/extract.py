"""Find the answer that a mathematical response commits to. Linear time, no backtracking."""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_TAG_OPEN, _TAG_CLOSE = "<answer>", "</answer>"


def boxed_spans(text: str) -> tuple[list[tuple[int, int, int]], bool]:
    """Every outermost box as (start of the command, start and end of the content), and
    whether one stays open at the end. Escaped braces (\\{ \\}) do not count."""
    spans: list[tuple[int, int, int]] = []
    at = 0
    while match := _BOX.search(text, at):
        end = _closing(text, match.end())
        if end is None:
            return spans, True
        spans.append((match.start(), match.end(), end))
        at = end + 1
    return spans, False


def extract_answer(text: str) -> str | None:
    """The content of the last \\boxed{...}; else of the last <answer>...</answer>; else None.

    Several different boxed answers are not a free choice: the last counts. A box that stays
    open at the end means that the response was cut off in its answer: None.
    """
    spans, unclosed = boxed_spans(text)
    if unclosed:
        return None
    if spans:
        return text[spans[-1][1] : spans[-1][2]].strip() or None
    close = text.rfind(_TAG_CLOSE)
    start = text.rfind(_TAG_OPEN, 0, close) if close >= 0 else -1
    if start < 0:
        return None
    return text[start + len(_TAG_OPEN) : close].strip() or None


def _closing(text: str, start: int) -> int | None:
    depth, at = 1, start
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return None
