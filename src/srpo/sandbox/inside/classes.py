"""Which of the program's names the tests use as classes, by what they do with what these return.

Only then are operators between instances and plain values the program's word (see `remote`): a
function that is to return a number could be a class, whose instances say that they are near to
everything.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from .names import PYTHONS
from .remote import NAMED, TESTED

_DATA = (int, float, str, bytes, list, tuple, dict, set, complex, range, deque, Decimal, Fraction)
_DATA += (date, datetime, timedelta)
_OF_DATA = frozenset(name for cls in _DATA for name in dir(cls)) | {"send", "shape", "dtype", "T"}


def used_as_classes(sources: Iterable[str]) -> dict[str, int]:
    """TESTED for a name whose instances have attributes that no plain value has, or that are
    compared with one another; for one that is asked about by `isinstance`, caught, or entered; or
    that has attributes itself. NAMED for another name that is spelt as a class's."""
    found: dict[str, int] = {}
    for source in sources:
        tree = ast.parse(source)
        for name in _called(tree):
            if name[:1].isupper():
                found.setdefault(name, NAMED)
        for name in _tested(tree):
            found[name] = TESTED
    return found


def defined_in(source: str) -> frozenset[str]:
    """The names of classes that a source may define, by `class` or, as namedtuples, by `=`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.add(node.targets[0].id)
    return frozenset(found)


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if name := _maker(node):
            yield name


def _maker(node: ast.AST | None) -> str:
    """The name that a node calls."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return node.func.id if called else ""  # type: ignore[union-attr]


def _tested(tree: ast.AST) -> Iterator[str]:
    makers: dict[str, set[str]] = {}  # of variables
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (name := _maker(node.value)):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    makers.setdefault(target.id, set()).add(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr not in _OF_DATA:
            for inner in _operands(node.value):
                yield from filter(None, [_maker(inner)])
                if isinstance(inner, ast.Name):
                    yield inner.id
                    yield from makers.get(inner.id, ())
        elif isinstance(node, ast.Call) and _maker(node) in ("isinstance", "issubclass"):
            yield from (n.id for n in ast.walk(node.args[-1]) if isinstance(n, ast.Name))
        elif isinstance(node, ast.withitem) and (name := _maker(node.context_expr)):
            yield name
        elif isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
            yield node.type.id
        elif isinstance(node, ast.Compare | ast.BinOp):
            yield from _compared(node)


def _operands(node: ast.AST) -> Iterator[ast.AST]:
    """What an expression computes with: `(m * 2).rows` looks at an attribute of m's kind."""
    if isinstance(node, ast.BinOp):
        yield from _operands(node.left)
        yield from _operands(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from _operands(node.operand)
    else:
        yield node


def _compared(node: ast.Compare | ast.BinOp) -> Iterator[str]:
    """`Vector(1) + Vector(2)`, `f() == Vector(3)`: names spelt as classes' on the right, where what
    is expected stands, of something that is the program's too."""
    right = node.comparators[-1] if isinstance(node, ast.Compare) else node.right
    left = {_maker(inner) for inner in ast.walk(node.left)} - {""} - PYTHONS
    for inner in ast.walk(right):
        name = _maker(inner)
        if name[:1].isupper() and left and (name in left or isinstance(node, ast.Compare)):
            yield name
