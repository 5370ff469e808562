"""Above nine tenths of what is public in src/srpo has a docstring.

Public are the modules that hold anything, and in them every class, function and method whose name,
and the names of all that it stands in, begin without an underscore; what is inside a function is
not. Documented are also, without a docstring of their own:

- a method whose class has it from a base or a protocol in which it is documented: a base by name,
  a protocol by having all of its methods,
- a class that is the one public thing of its module: the module's docstring is about it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "srpo"
LEAST = 0.9

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = ast.Module | ast.ClassDef


@dataclass(frozen=True)
class Public:
    """A public thing and what it stands in."""

    name: str
    node: Place | Function
    place: Place | None = None


def publics(place: Place, name: str) -> Iterator[Public]:
    """Of a module or a class, itself aside."""
    for node in place.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield Public(f"{name}.{node.name}", node, place)
            if isinstance(node, ast.ClassDef):
                yield from publics(node, f"{name}.{node.name}")


def read(package: Path) -> list[Public]:
    """All that is public in a package."""
    found = []
    for file in sorted(package.rglob("*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        name = ".".join(file.relative_to(package.parent).with_suffix("").parts)
        if module.body:
            found += [Public(name, module), *publics(module, name)]
    return found


def missing(found: list[Public]) -> list[str]:
    """The names of what has no docstring and gets none from elsewhere."""
    classes = {p.node.name: p.node for p in found if isinstance(p.node, ast.ClassDef)}
    protocols = [c for c in classes.values() if "Protocol" in _bases(c)]

    def above(node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        own = _methods(node).keys()
        yield from (p for p in protocols if p is not node and _methods(p).keys() <= own)
        for base in _bases(node):
            if base in classes:
                yield classes[base]
                yield from above(classes[base])

    def documented(public: Public) -> bool:
        node, place = public.node, public.place
        if ast.get_docstring(node) is not None:
            return True
        if isinstance(node, ast.ClassDef) and isinstance(place, ast.Module):
            return len(list(_top(place))) == 1 and ast.get_docstring(place) is not None
        if isinstance(node, Function) and isinstance(place, ast.ClassDef):
            same = (_methods(c).get(node.name) for c in above(place))
            return any(m and ast.get_docstring(m) is not None for m in same)
        return False

    return [p.name for p in found if not documented(p)]


def _bases(node: ast.ClassDef) -> set[str]:
    """The last part of each name: `warm.WarmSandbox` is WarmSandbox."""
    return {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}


def _methods(node: ast.ClassDef) -> dict[str, Function]:
    return {n.name: n for n in node.body if isinstance(n, Function)}


def _top(module: ast.Module) -> Iterator[ast.stmt]:
    """Its public classes and functions."""
    for node in module.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node


def test_what_is_public_is_documented():
    found = read(PACKAGE)
    without = missing(found)
    share = 1 - len(without) / len(found)
    assert share > LEAST, f"{share:.1%} of {len(found)}; without: {', '.join(without)}"


@pytest.mark.parametrize(
    ("source", "without"),
    [
        ('"""m"""', []),
        ("", []),  # an empty __init__.py says nothing and holds nothing
        ("x = 1", ["p.m"]),
        ('"""m"""\ndef f(): ...\ndef _g(): ...\nasync def h(): "h"', ["p.m.f"]),
        ('"""m"""\ndef f():\n "f"\n def g(): ...', []),
        ('"""m"""\nclass A:\n x: int', []),  # the module is about it
        ('"""m"""\nclass A: ...\nX = 1\ndef f(): "f"', ["p.m.A"]),
        ('"""m"""\nclass A:\n def f(self): ...\n def __len__(self): ...', ["p.m.A.f"]),
        ('"""m"""\nclass _A:\n def f(self): ...', []),
        ('"""m"""\nclass A:\n "a"\n def f(self): "f"\nclass B(m.A):\n "b"\n def f(self): ...', []),
        ('"""m"""\nclass A:\n "a"\nclass B(A):\n "b"\n def f(self): ...', ["p.m.B.f"]),
        (
            '"""m"""\nclass P(Protocol):\n "p"\n def f(self): "f"\n def g(self): "g"\n'
            'class A:\n "a"\n def f(self): ...\n def g(self): ...\n'
            'class B:\n "b"\n def f(self): ...',  # not all of P
            ["p.m.B.f"],
        ),
    ],
)
def test_what_counts(tmp_path: Path, source: str, without: list[str]):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "m.py").write_text(source)
    assert missing(read(tmp_path / "p")) == without
