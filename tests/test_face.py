"""`import srpo` gives the nouns that people use, and loads each when it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import srpo

HEAVY = ("torch", "transformers", "matplotlib", "pyarrow", "numpy")


def loaded_by(code: str) -> set[str]:
    """The modules that a new interpreter has after it ran `code`."""
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )
    return set(done.stdout.split())


def declared() -> dict[str, str]:
    """Names and modules as type checkers read them."""
    tree = ast.parse(Path(srpo.__file__).read_text(encoding="utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and _is_checking(n.test))
    return {
        alias.name: node.module or ""
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _is_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def test_what_type_checkers_see_is_what_there_is():
    assert sorted(declared()) == sorted(srpo.__all__)


@pytest.mark.parametrize("name", srpo.__all__)
def test_a_name_is_that_of_its_home(name: str):
    assert getattr(srpo, name) is getattr(import_module(declared()[name]), name)


@pytest.mark.parametrize("name", ["Recipes", "recipe_load", "Limits Program", ""])
def test_no_other_name_is_there(name: str):
    with pytest.raises(AttributeError, match=f"module 'srpo' has no attribute '{name}'"):
        getattr(srpo, name)


def test_they_are_listed():
    assert {"Recipe", "grade", "__version__"} <= set(dir(srpo))


def test_a_star_brings_them_all():
    scope: dict[str, object] = {}
    exec("from srpo import *", scope)
    assert set(srpo.__all__) <= scope.keys()


def test_importing_it_loads_nothing_of_it():
    loaded = loaded_by("import srpo")
    assert not loaded & set(HEAVY)
    assert {m for m in loaded if m.partition(".")[0] == "srpo"} == {"srpo"}


@pytest.mark.parametrize("name", ["Recipe", "Verdict", "grade", "open_run", "open_sandbox"])
def test_a_name_that_needs_no_torch_loads_none(name: str):
    assert not loaded_by(f"from srpo import {name}") & {"torch", "transformers"}
