"""Whether a response keeps the format that its recipe asks for: one answer, in its place.

A format is a function of the text; the table `FORMATS` names them. Each takes linear time.

Thinking: in `boxed`, `fenced` and `json` a response may think first, `<think>...</think>`, once
and before everything else; drafts in there do not count, the format is that of what follows.
In all of them the opening tag may be missing, because some chat templates end the prompt with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from srpo.verifiers.code.blocks import fenced_blocks, is_python
from srpo.verifiers.math.extract import boxed_spans
from srpo.verifiers.math.json_answer import json_answer

_ONLY_CLOSING = re.compile(r"(?:\s|[.!,;:$)\]\\]|</answer>)*")  # a full stop, $ or \] may follow
_TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def boxed(text: str) -> bool:
    """Exactly one \\boxed{...}, closed and not empty, and the response ends with it: only
    whitespace, punctuation and maths delimiters follow."""
    start = _after_thinking(text)
    spans, unclosed = boxed_spans(text)
    spans = [span for span in spans if start is not None and span[0] >= start]
    if unclosed or len(spans) != 1:
        return False
    _, content, end = spans[0]
    return bool(text[content:end].strip()) and bool(_ONLY_CLOSING.fullmatch(text, end + 1))


def tags(text: str) -> bool:
    """`<think>...</think><answer>...</answer>`: each tag exactly once, in this order, only
    whitespace before, between and after; the answer is not empty, the thinking may be."""
    if _TAGS[0] not in text:  # the prompt may have ended with it
        text = _TAGS[0] + text
    if any(text.count(tag) != 1 for tag in _TAGS):
        return False
    at = [text.index(tag) for tag in _TAGS]
    ends = [start + len(tag) for start, tag in zip(at, _TAGS, strict=True)]
    outside = text[: at[0]] + text[ends[1] : at[2]] + text[ends[3] :]
    ordered = at == sorted(at)
    return ordered and not outside.strip() and bool(text[ends[2] : at[3]].strip())


def json(text: str) -> bool:
    """One JSON object {"answer": ...} and nothing else, or, where the response explains itself
    first, in exactly one fenced ```json block that ends it. See `json_answer`."""
    start = _after_thinking(text)
    return start is not None and json_answer(text[start:]) is not None


def fenced(text: str) -> bool:
    """Exactly one fenced Python block, closed and not empty, and the response ends with it."""
    start = _after_thinking(text)
    if start is None:
        return False
    blocks, _ = fenced_blocks(text[start:])
    every, unclosed = fenced_blocks(text)
    # A fence that thinking left open changes what the verifier reads: then they differ.
    if unclosed or len(blocks) != 1 or every[-1:] != blocks:
        return False
    language, content = blocks[0]
    ends = text.rstrip().endswith(("```", "~~~"))
    return is_python(language) and bool(content.strip()) and ends


FORMATS: dict[str, Callable[[str], bool]] = {
    "boxed": boxed,
    "tags": tags,
    "json": json,
    "fenced": fenced,
}


def _after_thinking(text: str) -> int | None:
    """Where the answer starts: 0 without thinking, None when the thinking is not well-formed."""
    opens, closes = text.count("<think>"), text.count("</think>")
    if not opens and not closes:
        return 0
    end = text.find("</think>")
    if closes != 1 or opens > 1 or (opens and text[: text.find("<think>")].strip()):
        return None
    return end + len("</think>")
