"""Which of a problem's programs may serve as its reference."""

from __future__ import annotations

from typing import Any

from srpo.verifiers.code.source import MAX_SOURCE, quiet


def first_python3(programs: list[Any]) -> str | None:
    """The first that Python 3 compiles: the sets mix in Python 2."""
    return next((p for p in programs if isinstance(p, str) and p.strip() and _compiles(p)), None)


def _compiles(program: str) -> bool:
    if len(program) > MAX_SOURCE:
        return False
    try:
        with quiet():
            compile(program, "<reference>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True
