"""Tests whose names could be the library's or the program's are refused when they are read.

`srpo.sandbox.inside.names` says whose a name is. What it takes for the program's, the standard
library may have too: in `assert abs(f(1) - pi) < 1e-6` a program could bring its own `pi`, and
the test would take its word for it. Such tests have to import the name in `setup`.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib import import_module
from typing import Any

from srpo.sandbox.inside.names import CALL, PYTHONS, Owners, Source, owners, read_sources

# The library's names are those of the modules whose values and functions tests use.
MODULES = (
    "abc argparse array base64 binascii bisect calendar cmath collections collections.abc colorsys"
    " configparser contextlib copy csv dataclasses datetime decimal difflib enum fnmatch fractions"
    " functools getpass glob graphlib hashlib heapq hmac html http importlib inspect io ipaddress"
    " itertools json keyword locale math numbers operator os os.path pathlib pickle platform pprint"
    " random re reprlib secrets shlex shutil statistics string struct sys tempfile textwrap time"
    " timeit tomllib types typing unicodedata unittest.mock urllib.parse uuid weakref"
    " xml.etree.ElementTree zipfile zoneinfo"
)
# Modules whose names tests use behind a dot: `queue.Queue()`. Alone, programs define such names.
DOTTED = (
    "ast asyncio bz2 codecs gzip logging lzma queue subprocess threading traceback unittest"
    " warnings zlib"
)
# The few of those that tests use alone, and what they take from packages that are not here.
OTHERS = (
    "literal_eval np numpy pd pandas sp scipy sympy torch tf plt nx sklearn pytest approx raises"
    " allclose array_equal assert_allclose assert_array_equal assert_almost_equal"
)
ASKED = frozenset(("encode", "decode"))  # of base64's; programs are asked for such pairs
EITHER = "may be Python's or the program's"
IMPORT = "import it in `setup`"
RUNS_TEXT = "it runs text as code, which may be the program's; write out what is tested"


def unclear_asserts(setup: str, asserts: list[str]) -> tuple[str, str] | None:
    """The first field of `asserts` tests with a name that cannot be told apart, and why."""
    first, rest = read_sources(setup, asserts, star_names)
    whose = owners(first, rest)
    fields = [("setup", setup, first)]
    fields += [(f"asserts[{i}]", asserts[i], source) for i, source in enumerate(rest)]
    for field, text, source in fields:
        if why := _text_run(text, source) or _unclear(source, whose):
            return field, why
    if not whose.program:
        return "asserts", "they name nothing of the program's; call what is tested"
    return None


def unclear_check(entry_point: str, setup: str, code: str) -> tuple[str, str] | None:
    """The same for `check` tests. They know the program as `candidate`, and by its own name where
    that cannot be Python's."""
    first, (rest,) = read_sources(setup, [code], star_names)
    for field, text, source in (("setup", setup, first), ("code", code, rest)):
        if why := _text_run(text, source):
            return field, why
    if entry_point in rest.uses and (entry_point in PYTHONS or entry_point in library()):
        return "code", f"{entry_point} {EITHER}; call the program's as `candidate`, or {IMPORT}"
    return None


def _unclear(source: Source, whose: Owners) -> str:
    for name in sorted(source.uses):
        how = source.uses[name]
        dots = all(one.startswith(".") for one in how)
        if name in whose.modules:
            if not _has(name, how):
                return f"{name} may be the library's module or the program's; {IMPORT}"
        elif name in whose.tested and not (dots and name in OTHERS.split()):
            continue  # np.allclose tests nothing, even where it is alone
        elif name in whose.program and (
            name in library() or (name in sys.stdlib_module_names and how != {CALL})
        ):
            other = "if the program is to define it, give it a name of its own"
            return f"{name} {EITHER}; {IMPORT}; {other}"
    return ""


def _has(module: str, how: set[str]) -> bool:
    """Whether the library's module has all these attributes, as soon as it is imported: modules
    inside it (`unittest.mock`) may not be there then."""
    if module not in MODULES.split() and module not in DOTTED.split():
        return False
    there = _contents(module)
    names = [one[1:] for one in how]
    inner = [n for n in names if getattr(there.get(n), "__name__", "") == f"{module}.{n}"]
    return there.keys() >= set(names) and set(inner) <= {"abc"}  # collections.abc


def _text_run(text: str, source: Source) -> str:
    """Why not, where `eval` or its kind runs anything but a text that stands there."""
    used = source.uses.keys() & {"eval", "exec", "compile"}
    if not used:
        return ""
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    runs = [n for n in calls if isinstance(n.func, ast.Name) and n.func.id in used]
    fixed = all(n.args and isinstance(n.args[0], ast.Constant) for n in runs)
    only_called = all(source.uses[name] == {CALL} for name in used)
    return "" if fixed and only_called else RUNS_TEXT


@cache
def library() -> frozenset[str]:
    """Public names of MODULES, and OTHERS."""
    names = frozenset(OTHERS.split())
    for module in MODULES.split():
        there = _contents(module)
        public = there.get("__all__") or {n for n, v in there.items() if type(v) is not type(sys)}
        names |= {name for name in public if not name.startswith("_")}
    # re's A, I, M are what programs call their classes.
    return frozenset(name for name in names if len(name) > 1 or name.islower()) - PYTHONS - ASKED


def star_names(module: str) -> frozenset[str]:
    """What `from module import *` binds; nothing for a module that is not among MODULES."""
    there = _contents(module) if module in MODULES.split() else {}
    return frozenset(there.get("__all__") or (n for n in there if not n.startswith("_")))


def _contents(module: str) -> dict[str, Any]:
    try:
        return vars(import_module(module))
    except ImportError:  # not in this Python
        return {}
