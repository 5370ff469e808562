"""What ends a response: tokens, and texts that a recipe names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

SPOKEN = ("<think>", "</think>", "<answer>", "</answer>")  # part of an answer, special or not
SILENT_TAIL = 8  # tokens without text that may stand within a stop text


def response_text(
    tokenizer: Any, eos: frozenset[int], ids: list[int], stop: Sequence[str] = ()
) -> str:
    """What a response says, without what ended it: a token of `eos`, or a text of `stop`.

    A closing tag (`</answer>`) belongs to what it closes, so it stays.
    """
    text = _decode(tokenizer, ids[:-1] if ids and ids[-1] in eos else ids)
    ends = [text.find(s) + (len(s) if s.startswith("</") else 0) for s in stop if s in text]
    return text[: min(ends)] if ends else text


def is_stopped(tokenizer: Any, ids: list[int], stop: Sequence[str]) -> bool:
    """Whether the last token completed a text of `stop`. Only the tail is looked at: a token has
    at least a byte, and what was complete before has stopped the response before."""
    tail = _decode(tokenizer, ids[-tail_of(stop) :]) if stop else ""
    return any(s in tail for s in stop)


def tail_of(stop: Sequence[str]) -> int:
    """So many tokens hold every text of `stop`."""
    return max((len(s.encode()) for s in stop), default=0) + SILENT_TAIL


def in_words(tokenizer: Any, eos: Iterable[int], stop: Sequence[str]) -> str:
    """For people: `<|im_end|> (151645), or the text '\\nUser:'`."""
    tokens = [f"{tokenizer.convert_ids_to_tokens(i)} ({i})" for i in sorted(eos)]
    return ", or ".join([*tokens, *(f"the text {s!r}" for s in stop)])


def _decode(tokenizer: Any, ids: list[int]) -> str:
    silent = _silent(tokenizer, len(tokenizer))
    return tokenizer.decode([i for i in ids if i not in silent], skip_special_tokens=False)


@lru_cache(maxsize=8)
def _silent(tokenizer: Any, size: int) -> frozenset[int]:
    """The special tokens, which say nothing, but for those that verifiers read. `size` is the
    tokenizer's: it may be given more tokens."""
    added = tokenizer.added_tokens_decoder
    spoken = {i for i, token in added.items() if token.content.strip() in SPOKEN}
    special = {i for i, token in added.items() if token.special} | set(tokenizer.all_special_ids)
    return frozenset(special - spoken)
