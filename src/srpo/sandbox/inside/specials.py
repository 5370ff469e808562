"""Python's special methods, as the tests' process asks for them and the program's does them.

An object of the program's stays there; the tests' process has a stand-in whose class has those
special methods that the object's own has. What they mean is done by Python in the program's
process: `a + b` with its reflected forms, `x in a`, `round(a, 2)`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

_ARITHMETIC = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow")
_ARITHMETIC += ("lshift", "rshift", "and", "or", "xor")
COMPARISONS = frozenset({"__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"})

# What takes no value to compare with: the arguments, if any, are indices, keys and formats.
ASKS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__bool__": bool,
    "__iter__": iter,
    "__reversed__": reversed,
    "__hash__": hash,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__abs__": abs,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__invert__": operator.invert,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__str__": str,
    "__repr__": repr,
    "__format__": format,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
}
CONTAINS = "__contains__"


def _function(name: str) -> Callable[[Any, Any], Any]:
    return divmod if name == "divmod" else getattr(operator, f"__{name}__")


def _swapped(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda own, other: function(other, own)


# What takes another value, which may be the one that is expected.
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in sorted(COMPARISONS)
}
for _name in _ARITHMETIC:
    BINARY[f"__{_name}__"] = _function(_name)
    BINARY[f"__r{_name}__"] = _swapped(_function(_name))
    if _name != "divmod":
        BINARY[f"__i{_name}__"] = getattr(operator, f"__i{_name}__")

DOES: dict[str, Callable[..., Any]] = ASKS | BINARY | {CONTAINS: operator.contains}
OTHERS = ("__call__", "__next__", "__await__", "__enter__", "__exit__")
OTHERS += ("__aenter__", "__aexit__", "__aiter__", "__anext__")
NAMES = (*DOES, *OTHERS)


def of_class(cls: type) -> list[str]:
    """The special methods that instances of `cls` have and plain objects have not. A class that
    has no hashes is said to have "unhashable"."""
    found = []
    for name in NAMES:
        # Not by getattr, which finds what the class itself can do: `len` of an enumeration.
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        if owner is not object and vars(owner)[name] is not None:
            found.append(name)
    return found if cls.__hash__ is not None else [*found, "unhashable"]
