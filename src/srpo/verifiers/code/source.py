"""Python that a data set brought, read without its warnings."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SOURCE = 1 << 20  # characters: to read them takes up to 500 times as many bytes
_reading = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings of the data's invalid escapes and such. One thread at a time: the list of
    warnings to ignore is all threads', and Python 3.11's `ast.parse` raises SystemError where they
    take turns in it."""
    with _reading, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parsed(source: object) -> ast.Module | None:
    """None for what is no Python, or too long to be read."""
    if not isinstance(source, str) or len(source) > MAX_SOURCE:
        return None
    try:
        with quiet():
            return ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
