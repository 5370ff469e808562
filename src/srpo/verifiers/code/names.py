"""Names in tests that could be Python's or the program's."""

from __future__ import annotations

import ast
import builtins
from functools import cache
from importlib import import_module

MODULES = (
    "bisect cmath collections copy decimal fractions functools heapq itertools math operator"
    " statistics string"
)


def unclear_name(source: str, setup: str) -> str:
    """The first library function that a test calls beside the program's, without an import in
    `setup`; "" when there is none.

    A test's names are the program's unless Python or `setup` defines them. So a program could
    bring its own `isclose`, and `assert isclose(f(2), 4.0)` would take its word for it. Alone,
    as in `assert gcd(4, 6) == 2`, such a name is the function that is tested.
    """
    called = {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    free = called - _defined(setup) - set(dir(builtins))
    return min(free & _library(), default="") if len(free) > 1 else ""


def _defined(setup: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(setup)):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            names |= set(vars(import_module(node.module or ""))) if _known(node.module) else set()
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _known(module: str | None) -> bool:
    return module in MODULES.split()


@cache
def _library() -> frozenset[str]:
    modules = (vars(import_module(module)) for module in MODULES.split())
    return frozenset(name for names in modules for name in names if not name.startswith("_"))
