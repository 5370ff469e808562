"""Whether tests fail by themselves: they would with any program.

A test that ended in an exception of its own is run once more against a program that answers
whatever one likes. Where it ends in the same exception at the same place, no answer of the
program's has a part in it: an import that is not there, a reference that divides by zero.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from .remote import OF_PROGRAM, SOURCES, ErrorType, Remote, is_raised
from .specials import ASKS, BINARY, COMPARISONS

STEPS = 200_000


class Touched(BaseException):
    """What happens now depends on what the program answers."""


class AnyAnswer:
    """What the other program is and returns: it is equal to everything, and its methods, operators
    and attributes give the like of it."""

    def __call__(self, *_: Any, **__: Any) -> AnyAnswer:
        return AnyAnswer()

    def __getattr__(self, name: str) -> AnyAnswer:
        if name.startswith("__"):
            raise Touched
        return AnyAnswer()

    def __setattr__(self, name: str, value: Any) -> None:
        pass


def _same(_: Any, *__: Any) -> AnyAnswer:
    return AnyAnswer()


def _touched(_: Any, *__: Any) -> Any:
    raise Touched


for _name in ASKS:
    setattr(AnyAnswer, _name, _touched)
for _name in BINARY:
    setattr(AnyAnswer, _name, _same)
for _name in COMPARISONS:
    setattr(AnyAnswer, _name, lambda _, __: True)
for _name in ("__abs__", "__neg__", "__pos__", "__invert__", "__round__", "__getitem__"):
    setattr(AnyAnswer, _name, _same)
for _name in ("__bool__", "__contains__"):
    setattr(AnyAnswer, _name, lambda _, *__: True)


def fails_by_itself(
    error: Exception, space: dict[str, Any], lent: Iterable[str], again: Callable[[], None]
) -> bool:
    """Whether `again`, which runs the test that raised `error`, fails alike with any program.

    What a test asserts, or raises itself, is its verdict and no failure of it. `space` holds the
    tests' names, among them those that the program `lent`.
    """
    where = _place(error)
    if isinstance(error, AssertionError) or hasattr(error, OF_PROGRAM) or is_raised(error):
        return False
    of_program = [name for name, value in space.items() if issubclass(type(value), Remote)]
    if any(isinstance(value, ErrorType) for value in space.values()):
        return False  # no answer can be caught
    space.update((name, AnyAnswer()) for name in (*of_program, *lent))
    sys.settrace(_counter())
    try:
        again()
    except Exception as other:
        return type(other) is type(error) and str(other) == str(error) and _place(other) == where
    except BaseException:
        return False
    finally:
        sys.settrace(None)
    return False


def _counter() -> Callable[..., Any]:
    """Ends what takes too many steps: a loop may wait for an answer."""
    steps = iter(range(STEPS))

    def count(*_: Any) -> Any:
        if next(steps, None) is None:
            raise Touched
        return count

    return count


def _place(error: Exception) -> tuple[str, int] | None:
    """The innermost line of the tests that it came through."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if (name := trace.tb_frame.f_code.co_filename) in SOURCES:
            found = name, trace.tb_lineno
        trace = trace.tb_next
    return found
