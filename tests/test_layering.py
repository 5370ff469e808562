"""Imports point one way. The table is the rule; the test reads every import of src/srpo."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "srpo"

# Top, which everybody above may use.
BASE = {
    "errors",
    "types",
    "recipe",
    "diagnosis",
    "metrics",
    "observer",
    "models",
    "nucleus",
    "files",
    "plans",
    "versions",
    "weights",
    "transfer",
    "parent",
}
# The parts, which the trainer puts together. rollout and learner never meet.
PARTS = {
    "algorithm", "rollout", "learner", "verifiers", "domains", "sandbox", "evaluation", "data",
}  # fmt: skip
# The trainer and what is beside it in run/: they are one layer.
TRAINER = {"trainer", "run"}

# What each part of the package may import from the package, besides itself. A file goes by the
# longest name that is its own; whoever may import a part may import all that is in it.
MAY_IMPORT: dict[str, set[str]] = {
    # --- base: no part of the machinery
    "errors": set(),
    "types": {"errors"},
    "recipe": {"errors", "types"},
    "files": set(),
    "plans": {"errors", "types", "files"},
    "versions": set(),
    "metrics": {"files"},
    "diagnosis": {"metrics"},
    "observer": {"errors", "types", "recipe"},
    "models": {"errors", "types"},
    "nucleus": set(),
    "weights": set(),
    "transfer": {"errors", "types", "weights"},
    "parent": set(),
    # --- parts
    "algorithm": {"errors", "types", "recipe", "files"},
    "rollout": {
        *("errors", "types", "recipe", "nucleus"),
        *("models", "weights", "transfer", "parent", "files"),
    },
    "learner": {
        *("errors", "types", "recipe", "algorithm", "nucleus"),
        *("models", "weights", "transfer", "parent", "files"),
    },
    "workers": {"errors", "types"},
    "sandbox": {"errors", "types", "recipe", "workers"},
    "sandbox.inside": set(),  # runs behind the walls, where the package is not
    "verifiers": {"errors", "types", "recipe", "sandbox", "workers"},
    "domains": {"errors", "types", "recipe", "sandbox", "verifiers"},
    "evaluation": {
        *("errors", "types", "recipe", "files", "versions"),
        *("rollout", "data", "sandbox", "verifiers"),
    },
    "evaluation.graders.lcb_inside": set(),  # runs behind the walls, too
    "data": {"errors", "types", "recipe", "files", "plans", "verifiers", "domains", "nano"},
    "nano": {"types"},
    "reasoning": {"errors", "types", "data", "evaluation", "verifiers", "run.files"},
    # --- what puts them together
    **dict.fromkeys(TRAINER, BASE | PARTS | TRAINER),
    "run.signals": set(),
    "run.files": set(),
    "run.display": BASE | {"report"},
    "report": BASE | {"run.files", "domains", "verifiers", "reasoning"},
    "report.curation": BASE | {"report", "data"},
    "report.evaluation": BASE | {"report", "evaluation"},
    "grading": BASE | {"data", "domains", "verifiers"},
    "grading.display": BASE | {"report", "grading.files"},
    "release": BASE | PARTS | {"run", "report"},
    "reproduce": BASE | {"report", "run.signals", "run.files"},
    "doctor": BASE | {"sandbox", "rollout"},
    "cluster": BASE | PARTS,
    # --- top
    "cli": BASE | {"run", "report", "doctor", "grading", "reproduce", "release", "data", ""},
    "": BASE | PARTS | {"run", "report", "grading"},  # srpo/__init__.py, the public face
}

# Who may import a heavy third party, by path; a folder allows all its files.
THIRD_PARTIES: dict[str, set[str]] = {
    "vllm": {"rollout/vllm/engine.py"},
    "ray": {"cluster/"},
    "peft": {"learner/"},
    "torch": {
        "algorithm/advantages/",
        "algorithm/losses/",
        "cluster/",
        "doctor.py",
        "learner/",
        "models.py",
        "nano/",
        "nucleus.py",
        "rollout/",
        "run/trackers.py",  # torch.utils.tensorboard, inside the tracker that asks for it
        "transfer.py",
        "weights.py",
    },
}


def imports(file: Path, package: Path) -> Iterator[str]:
    """Absolute dotted names of all that a file imports, wherever in it the import stands."""
    yield from _names(ast.walk(ast.parse(file.read_text(encoding="utf-8"))), file, package)


def _names(nodes: Iterable[ast.AST], file: Path, package: Path) -> Iterator[str]:
    here = ["srpo", *file.relative_to(package).with_suffix("").parts]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from srpo import trainer` names a module; `from srpo.types import Group` does not,
            # and its last part does no harm: only the first two parts are looked at.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def violations(package: Path) -> list[str]:
    """Every import that the two tables do not allow."""
    parts = {p.stem if p.suffix == ".py" else p.name for p in package.iterdir()}
    found = []
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package)
        own = _row(place)
        if own is None:
            found.append(
                f"{place}: {place.parts[0].removesuffix('.py')!r} has no row in MAY_IMPORT"
            )
            continue
        for name in imports(file, package):
            root, _, rest = name.partition(".")
            target = rest if rest.split(".")[0] in parts else ""
            if root == "srpo" and not any(_within(target, m) for m in (own, *MAY_IMPORT[own])):
                found.append(f"{place}: imports srpo.{target}")
            elif root in THIRD_PARTIES and not _allowed(str(place), THIRD_PARTIES[root]):
                found.append(f"{place}: imports {root}")
    return found


def _row(place: Path) -> str | None:
    """The longest name of MAY_IMPORT that a file belongs to."""
    if place == Path("__init__.py"):
        return ""
    name = ".".join(place.with_suffix("").parts)
    return max((row for row in MAY_IMPORT if row and _within(name, row)), key=len, default=None)


def _within(name: str, part: str) -> bool:
    return name == part or (part != "" and name.startswith(f"{part}."))


def _allowed(place: str, allowed: set[str]) -> bool:
    return any(place == a or (a.endswith("/") and place.startswith(a)) for a in allowed)


def test_imports_point_one_way():
    assert violations(PACKAGE) == []


def test_any_module_may_be_the_first_that_is_imported():
    """None is needed, by what it imports while it is loaded, before it is there itself."""
    files = {_dotted(file): file for file in PACKAGE.rglob("*.py")}
    graph = {name: set(_needs(name, file, files)) for name, file in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' <- '.join(error.args[1])}")


def _dotted(file: Path) -> str:
    return ".".join(["srpo", *file.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(
        ".__init__"
    )


def _needs(name: str, file: Path, files: dict[str, Path]) -> Iterator[str]:
    """Modules that are loaded with this one, packages around them included, its own aside."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for imported in _names(_loaded(tree.body), file, PACKAGE):
        parts = imported.split(".")
        prefixes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
        yield from (p for p in prefixes if p in files and not f"{name}.".startswith(f"{p}."))


def _loaded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run while a module is loaded."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _loaded(node.body)


def test_rollout_and_learner_may_never_meet():
    assert "learner" not in MAY_IMPORT["rollout"]
    assert "rollout" not in MAY_IMPORT["learner"]


def test_only_data_draws_from_nano():
    assert [part for part, may in MAY_IMPORT.items() if "nano" in may] == ["data"]


def test_the_table_has_no_circles():
    """But for the trainer's files, which are one layer."""
    level: dict[str, int] = {}

    def depth(part: str, above: tuple[str, ...] = ()) -> int:
        assert part not in above, f"circle: {' -> '.join([*above, part])}"
        if part not in level:
            below = MAY_IMPORT[part] - (TRAINER if part in TRAINER else set())
            level[part] = 1 + max((depth(b, (*above, part)) for b in below), default=0)
        return level[part]

    assert depth("cli") > depth("trainer") > depth("learner") > depth("algorithm") > depth("types")


@pytest.mark.parametrize(
    ("place", "source", "complaint"),
    [
        ("rollout/engine.py", "from srpo.learner.batch import pack", "imports srpo.learner"),
        ("learner/x.py", "def f():\n    import srpo.rollout.engine", "imports srpo.rollout"),
        ("algorithm/x.py", "from srpo import trainer", "imports srpo.trainer"),
        ("algorithm/x.py", "from .. import trainer", "imports srpo.trainer"),
        ("algorithm/x.py", "from ..trainer import Trainer", "imports srpo.trainer"),
        ("trainer.py", "from srpo.cli import app", "imports srpo.cli"),
        ("verifiers/x.py", "from srpo.nano.problems import nano_problems", "imports srpo.nano"),
        ("algorithm/strategies/history.py", "import torch", "imports torch"),
        ("report/x.py", "from torch.nn import functional", "imports torch"),
        ("rollout/other.py", "from vllm import LLM", "imports vllm"),
        ("rollout/vllm/process.py", "def f():\n    import vllm.envs", "imports vllm"),
        ("rollout/vllm/server.py", "from vllm import SamplingParams", "imports vllm"),
        ("sandbox/inside/x.py", "from srpo.types import Problem", "imports srpo.types"),
        ("sandbox/inside/x.py", "from ..base import Limits", "imports srpo.sandbox.base"),
        ("workers/x.py", "from srpo.sandbox import base", "imports srpo.sandbox.base"),
        ("run/folder.py", "from srpo.report.reader import Run", "imports srpo.report"),
        ("run/signals.py", "from srpo.run.folder import RunFolder", "imports srpo.run.folder"),
        ("reproduce/x.py", "from srpo.run.folder import RunFolder", "imports srpo.run.folder"),
        ("report/x.py", "from srpo.run import display", "imports srpo.run.display"),
        ("trainer.py", "import ray", "imports ray"),
        ("brand_new.py", "", "has no row in MAY_IMPORT"),
    ],
)
def test_a_violation_is_found(tmp_path: Path, place: str, source: str, complaint: str):
    for name in MAY_IMPORT:  # the modules have to be there to be told from other names
        if "." not in name:
            (tmp_path / f"{name or '__init__'}.py").touch()
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    assert violations(tmp_path) == []
    file.write_text(source)
    assert [v for v in violations(tmp_path) if v.startswith(place) and complaint in v]


def test_starting_the_command_line_loads_nothing_heavy():
    heavy = "{'torch', 'transformers', 'matplotlib', 'pyarrow', 'numpy'}"
    code = f"import sys, srpo.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert result.stdout.strip() == "[]"
