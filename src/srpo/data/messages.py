"""A question that is given as a text, or as messages of one turn (TRL, verl)."""

from __future__ import annotations

from typing import Any


def one_turn(value: Any) -> tuple[Any, str | None] | None:
    """The user's content, still unchecked, and the system message where there is one; None for
    messages of more than one turn."""
    messages = value if isinstance(value, list) and value else [{"role": "user", "content": value}]
    roles = [m.get("role") if isinstance(m, dict) else None for m in messages]
    if roles not in (["user"], ["system", "user"]):
        return None
    *system, question = [_text_of(m.get("content")) for m in messages]
    return question, str(system[0]) if system else None


def _text_of(content: Any) -> Any:
    """A message's content, which may come in parts."""
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        return content
    texts = [part.get("text") for part in content]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else content
