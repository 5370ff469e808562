"""A Python of the user's: what programs can import with it, and what they still cannot reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from srpo.doctor import programs_finding
from srpo.sandbox.base import Limits, Program
from srpo.sandbox.interpreter import find_interpreter, ours
from srpo.sandbox.mechanisms import open_sandbox
from srpo.sandbox.proof import prove
from srpo.types import UserError
from walls import WHY_NOT

MECHANISMS = [name for name in ("sandlock", "bubblewrap") if not WHY_NOT[name]]
LIMITS = Limits(time_s=10.0)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with one package of our own making."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "treasure.py").write_text("gold = 42\n")
    about = site / "treasure-1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: treasure\nVersion: 1.5\n")
    return folder


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_its_packages_are_there_and_the_walls_stand(mechanism: str, environment: Path) -> None:
    program = Program("import treasure; print(treasure.gold)")
    with open_sandbox(mechanism, 1, python=str(environment)) as box:  # type: ignore[attr-defined]
        assert box.run(program, LIMITS).stdout == "42\n"
        write = f"open({str(environment / 'x')!r}, 'w')"
        assert "Error" in box.run(Program(write), LIMITS).detail
        assert [proof.name for proof in prove(box) if not proof.kept] == []
    with open_sandbox(mechanism, 1) as box:  # type: ignore[attr-defined]
        assert "No module named 'treasure'" in box.run(program, LIMITS).detail


def test_the_doctor_says_what_is_there(environment: Path) -> None:
    version = sys.version.split()[0]
    found = programs_finding(None)
    assert found.found == f"Python {version}: its standard library alone"
    for path in (environment, environment / "bin" / "python"):
        found = programs_finding(str(path))
        assert found.found == f"Python {version}: its standard library, treasure 1.5"


def test_nothing_is_hidden_in_our_own() -> None:
    assert ours().packages == ()
    assert find_interpreter(None) is ours()
    assert not any(path.endswith("site-packages") for path in ours().readable)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "no Python that runs \\(FileNotFoundError\\); give an executable or the folder"),
        ("#!/bin/sh\nexit 3\n", "no Python that runs \\(CalledProcessError\\)"),
        ("#!/bin/sh\necho hello\n", "no Python that runs \\(JSONDecodeError\\)"),
        (
            '#!/bin/sh\necho \'{"executable": "/p", "readable": [], "packages": [],'
            ' "version": [3, 8, 1], "installed": []}\'\n',
            "Python 3.8.1; give 3.11 or newer",
        ),
    ],
)
def test_what_is_no_python_is_named(tmp_path: Path, script: str | None, words: str) -> None:
    path = tmp_path / "python"
    if script is not None:
        path.write_text(script)
        path.chmod(0o755)
    with pytest.raises(UserError, match=f"verifier.python is '{path}': {words}"):
        find_interpreter(str(path))


def test_a_service_has_its_own() -> None:
    with pytest.raises(UserError, match="a sandboxfusion service has its own Python"):
        open_sandbox("sandboxfusion", 1, "http://s:1", "/p")
