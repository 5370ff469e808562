"""What keeps a value from being written as JSON, sent, and read again as the same value."""

from __future__ import annotations

from typing import Any

from srpo.types import short

MAX_DEPTH = 100  # Python's own reader and writer end at about 1,000, less what called them
MAX_DIGITS = 4300  # of integers: Python's default, also in the sandbox

_TOO_LONG = 10**MAX_DIGITS


def json_fault(value: Any, where: str) -> str:
    """The first fault with its place under `where`, its value and the fix; "" for a good value.

    Good are NaN and the infinities, which Python's JSON knows, tuples, and integers as keys.
    """
    todo = [(value, where, 0)]
    while todo:  # not recursive: it is here to find what is nested too deep
        item, path, depth = todo.pop()
        if isinstance(item, str):
            if why := text_fault(item):
                return f"{path} {why}"
        elif isinstance(item, bool) or item is None or isinstance(item, float):
            continue
        elif isinstance(item, int):
            if abs(item) >= _TOO_LONG:
                return f"{path} has more than {MAX_DIGITS} digits: give a shorter number, or a text"
        elif not isinstance(item, list | tuple | dict):
            return f"{path} is {short(item)}: no JSON value; give JSON values only"
        elif depth == MAX_DEPTH:
            return f"{path[:60]}... is nested deeper than {MAX_DEPTH}: give a flatter value"
        elif isinstance(item, dict) and (why := _keys_fault(item)):
            return f"{path} {why}"
        else:
            pairs = item.items() if isinstance(item, dict) else enumerate(item)
            inner = [(v, f"{path}[{short(k)}]", depth + 1) for k, v in pairs if not _is_plain(v)]
            todo += reversed(inner)
    return ""


def _is_plain(value: Any) -> bool:
    """Whether there is nothing to look for: most values are such, and there may be millions."""
    kind = type(value)
    if kind is str:
        return value.isascii()
    return (kind is int and -_TOO_LONG < value < _TOO_LONG) or kind in (float, bool, type(None))


def text_fault(text: str) -> str:
    """What is wrong with a text, to follow its name: half of a surrogate pair is no character,
    and neither a file nor a pipe takes it."""
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where = f"at character {error.start + 1} of {len(text)}"
        return f"has a lone surrogate ({text[error.start]!a}) {where}: give whole characters"
    return ""


def _keys_fault(value: dict[Any, Any]) -> str:
    for key in value:
        if isinstance(key, bool) or not isinstance(key, str | int):
            return f"has the key {short(key)}: JSON's keys are texts"
        if isinstance(key, str) and (why := text_fault(key)):
            return f"has a key that {why}"
        if isinstance(key, int) and abs(key) >= _TOO_LONG:
            return f"has a key of more than {MAX_DIGITS} digits: give a shorter one"
    if len(set(map(str, value))) < len(value):
        return "has the same key as a text and as a number: JSON's keys are texts"
    return ""


def json_error(error: ValueError | RecursionError) -> str:
    """Why a text could not be read as JSON."""
    if isinstance(error, RecursionError):
        return "it is nested too deep; give flatter values"
    if type(error) is ValueError:  # neither the JSON's nor the encoding's
        return f"a number of more than {MAX_DIGITS} digits; give it as a text"
    return (str(error).splitlines() or [""])[0]
