"""Installed from a wheel, outside of the repository, the package trains.

The environment is empty but for the wheel; what the package depends on comes from the one that
runs the tests, by a path behind the wheel's, so that nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from walls import needs_walls

ROOT = Path(__file__).parents[1]
TO_BUILD = ("pyproject.toml", "README.md", "LICENSE")
CODE_ALONE = "[{path: 'nano:code', domain: code, split: heldout, limit: 8}]"
SMALL = {
    "max_steps": 2,
    "output_dir": "run",
    "data.eval": CODE_ALONE,
    "eval.samples": 2,
    "sampler.prompts_per_step": 4,
    "rollout.group_size": 4,
    "rollout.max_new_tokens": 64,
}


def call(*command: object, cwd: Path) -> str:
    """Its output. Without PYTHONPATH, which would bring the repository back."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def read(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: setuptools leaves files where it builds, and takes up what lies there."""
    source = tmp_path_factory.mktemp("source")
    for name in TO_BUILD:
        shutil.copy(ROOT / name, source)
    leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", ignore=leftovers)
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    call(sys.executable, "-m", "pip", "wheel", *offline, "-w", "wheels", source, cwd=source)
    (built,) = (source / "wheels").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's programs."""
    home = tmp_path_factory.mktemp("environment")
    call(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    offline = ("--no-deps", "--no-index", "--quiet")
    call(sys.executable, "-m", "pip", "--python", python, "install", *offline, wheel, cwd=home)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin"


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path):
    files = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "srpo").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
    assert {"srpo/py.typed", "srpo/recipe/shipped/nano.yaml"} <= packed


def test_recipes_go_by_name(installed: Path, tmp_path: Path):
    listed = call(installed / "srpo", "recipes", cwd=tmp_path)
    assert {"nano", "gsm8k"} <= {line.split()[0] for line in listed.splitlines()}
    shown = call(installed / "srpo", "recipes", "show", "nano", cwd=tmp_path)
    assert shown == (ROOT / "src/srpo/recipe/shipped/nano.yaml").read_text(encoding="utf-8")


@needs_walls
def test_it_trains_and_runs_programs(installed: Path, tmp_path: Path):
    where = call(installed / "python", "-c", "import srpo; print(srpo.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    changes = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    said = call(installed / "srpo", "train", "nano", *changes, cwd=tmp_path)
    assert "finished" in said
    assert (tmp_path / "run" / "report.html").is_file()
    assert [row["step"] for row in read(tmp_path / "run" / "metrics.jsonl")] == [1, 2]
    for evaluation in read(tmp_path / "run" / "evals.jsonl"):
        assert evaluation["code"]["errors"] == 0
        assert evaluation["code"]["pass@1"] > 0  # a program that passed its tests was contained
