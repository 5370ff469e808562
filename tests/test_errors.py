"""The tree of exceptions is the one that its docstring draws, and it is whole."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from srpo import errors
from srpo.errors import SRPOError, TrainingError, UserError, in_one_line

PACKAGE = Path(__file__).parents[1] / "src" / "srpo"


def drawn() -> list[tuple[int, str, str]]:
    """Depth, name and the builtin in brackets of each line of the drawing."""
    found = []
    for line in (errors.__doc__ or "").splitlines():
        branch, _, rest = line.rpartition("── ")
        if branch or line.strip() == "SRPOError":
            name, *words = rest.split()
            builtin = words[0] if words and words[0].startswith("(") else ""
            found.append((len(branch) // 4, name, builtin.strip("()")))
    return found


def declared(kind: type[Exception], depth: int = 0) -> list[tuple[int, str, str]]:
    builtins = [b.__name__ for b in kind.__bases__ if b.__module__ == "builtins"]
    rows = [(depth, kind.__name__, "".join(builtins).replace("Exception", ""))]
    classes = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, Exception)]
    children = [c for c in classes if kind in c.__bases__]
    return rows + [row for child in children for row in declared(child, depth + 1)]


def test_the_tree_is_as_it_is_drawn():
    assert drawn() == [(max(0, depth), *rest) for depth, *rest in declared(SRPOError)]


def test_no_other_file_declares_a_public_exception():
    """One whose base is in the tree, or that is meant to leave its part."""
    names = {name for _, name, _ in declared(SRPOError)}
    elsewhere = [
        f"{file.relative_to(PACKAGE)}: {node.name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        if file.name != "errors.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and names & {ast.unparse(base) for base in node.bases}
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    ("kind", "builtin"), [(UserError, ValueError), (TrainingError, RuntimeError)]
)
def test_an_error_is_a_builtins_kin_too(kind: type[SRPOError], builtin: type[Exception]):
    with pytest.raises(builtin, match="lr is 0"):
        raise kind("learner.lr is 0: give more")


def test_an_error_of_somebody_elses_keeps_its_reason():
    try:
        try:
            raise ValueError(
                "1 error for X\n  no such architecture: Y\n  For further information visit Z"
            )
        except ValueError as error:
            raise RuntimeError("the engine did not start; see above") from error
    except RuntimeError as error:
        text = in_one_line(error)
    assert text == (
        "RuntimeError: the engine did not start; see above, because of"
        " ValueError: 1 error for X no such architecture: Y"
    )
    assert in_one_line(KeyError()) == "KeyError"
    with pytest.raises(AssertionError) as silent:
        raise AssertionError
    assert in_one_line(silent.value).startswith(f"AssertionError ({__file__}:")
    assert in_one_line(ValueError("x" * 999), 50) == "ValueError: " + "x" * 35 + "..."
