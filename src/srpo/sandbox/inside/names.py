"""Whose a name is that tests use and do not define: Python's, its library's or the program's.

Used on both sides of the wall: the host refuses tests whose names cannot be told apart
(`srpo.verifiers.code.names`), and the tests' process gives them the program's names and no others.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PYTHONS = frozenset(dir(builtins))
BY_TEXT = frozenset({"eval", "exec", "compile", "globals", "locals", "vars"})
FUTURE = "from __future__ import annotations\n"  # annotations are not evaluated
CALL, VALUE = "()", ""  # how a name is used; ".pi" stands for its attribute `pi`

Uses = dict[str, set[str]]
Star = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class Source:
    """What one source takes from outside, and whether it is asserts alone, which bind nothing."""

    uses: Uses
    only_asserts: bool


@dataclass(frozen=True)
class Owners:
    """The free names of `asserts` tests, without Python's own.

    program   what the program is asked for
    tested    those of them that are the program's for certain, whatever they are called
    modules   the library's modules, of which the tests use attributes alone: `math.pi`
    """

    program: frozenset[str]
    tested: frozenset[str]
    modules: frozenset[str]


def read_sources(
    setup: str, sources: list[str], star: Star = lambda module: frozenset()
) -> tuple[Source, list[Source]]:
    """Setup and tests, in the order in which they run: what one binds is free in none after it."""
    bound: set[str] = set()
    return _read(setup, bound, star), [_read(source, bound, star) for source in sources]


def owners(setup: Source, asserts: list[Source]) -> Owners:
    """Who owns which name.

    A name is tested when it is the only one that all of setup and tests use, or when it is called
    in asserts that use no other, and used nowhere else. Such a one is the program's, `gcd` or
    `sum` too: otherwise these tests would test nothing. Apart from that Python's names are
    Python's, and a module's name before a dot is the module.
    """
    every: Uses = {}
    for source in (setup, *asserts):
        _merge(every, source.uses)
    modules = {name for name in every.keys() & sys.stdlib_module_names if _only_dots(every[name])}
    program = every.keys() - PYTHONS - modules
    tested = program if len(program) == 1 else set(_tested(setup, asserts, program))
    if not every.keys() - PYTHONS and len(every) == 1 and CALL in min(every.values()):
        program = tested = set(every)  # `assert sum(10, 15) == 6`
    return Owners(frozenset(program), frozenset(tested), frozenset(modules))


def _tested(setup: Source, asserts: list[Source], program: set[str]) -> Iterator[str]:
    for name in program - setup.uses.keys():
        users = [source for source in asserts if name in source.uses]
        alone = all(
            source.only_asserts and source.uses.keys() & program == {name} for source in users
        )
        if alone and any(CALL in source.uses[name] for source in users):
            yield name


def _only_dots(how: set[str]) -> bool:
    return all(one.startswith(".") for one in how)


def _read(source: str, bound: set[str], star: Star) -> Source:
    """`bound` are the names that were bound before; those that `source` binds are added."""
    uses: Uses = {}
    statements = ast.parse(source).body
    lines = re.split("\r\n|\r|\n", source)
    # Each statement is looked at alone: what holds for all of them has to go with it.
    imported = [s.module for s in statements if isinstance(s, ast.ImportFrom)]
    head = FUTURE if "__future__" in imported else ""
    only_asserts = all(isinstance(statement, ast.Assert) for statement in statements)
    for statement in statements:
        used, made = _symbols(source if len(statements) == 1 else head + _text(lines, statement))
        only_asserts = only_asserts and not made
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            used.add(statement.target.id)
        # What an assignment binds is bound after its value: `f = cache(f)` takes f from outside.
        later = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        _merge(uses, _uses(statement, used - bound - (set() if later else made), bound))
        bound |= made
        for node in ast.walk(statement) if "import" in source else ():
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                bound |= star(node.module or "")
    return Source(uses, only_asserts)


def _symbols(text: str) -> tuple[set[str], set[str]]:
    """The global names that `text` reads, and those that it binds, as Python's own compiler sees
    it: parameters, comprehensions, `except ... as`, `global`, classes."""
    used: set[str] = set()
    made: set[str] = set()
    tables = [symtable.symtable(text, "<tests>", "exec")]
    for table in tables:  # grows on the way
        tables += table.get_children()
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if (top or symbol.is_global()) and not name.startswith("__"):  # these a module has
                if symbol.is_referenced():
                    used.add(name)
                if symbol.is_assigned() or symbol.is_imported():
                    made.add(name)
    return used, made


def _uses(statement: ast.stmt, free: set[str], bound: set[str]) -> Uses:
    """How a statement uses its free names; code in texts, for `eval` or `globals`, counts too."""
    uses: Uses = {}
    for name, how in _occurrences(statement) if free else ():
        if name in free:
            uses.setdefault(name, set()).add(how)
    if free & BY_TEXT:
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                try:
                    _merge(uses, _read(node.value, set(bound), lambda module: frozenset()).uses)
                except (SyntaxError, ValueError):  # no code
                    continue
    return uses


def _occurrences(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    for node in ast.walk(statement):  # parents come before their children
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            seen.add(id(node.value))
            yield node.value.id, f".{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            seen.add(id(node.func))
            yield node.func.id, CALL
        elif isinstance(node, ast.Name) and id(node) not in seen:
            yield node.id, VALUE


def _merge(uses: Uses, more: Uses) -> None:
    for name, how in more.items():
        uses.setdefault(name, set()).update(how)


def _text(lines: list[str], statement: ast.stmt) -> str:
    decorators = getattr(statement, "decorator_list", None)
    first = decorators[0].lineno if decorators else statement.lineno
    text = "\n".join(lines[first - 1 : statement.end_lineno])
    # Others may stand on its lines: `a = 1; b = a`.
    return ast.unparse(statement) if ";" in text else text
