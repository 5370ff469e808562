"""A recipe goes by a path or by a shipped one's name, and each of those says what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from srpo.recipe.library import find, shipped, summary
from srpo.recipe.load import load_recipe
from srpo.types import UserError


def test_a_shipped_recipe_goes_by_its_name():
    path = Path(__file__).parents[2] / "src/srpo/recipe/shipped/nano.yaml"
    assert list(shipped()) == sorted(p.stem for p in path.parent.glob("*.yaml"))
    assert load_recipe("nano") == load_recipe(path)


def test_a_file_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "nano").write_text("mine")
    (tmp_path / "gsm8k").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find("nano").read_text(encoding="utf-8") == "mine"
    assert find("gsm8k").read_text(encoding="utf-8").startswith("# GSM8K")


@pytest.mark.parametrize("name", ["nano.yaml", "shipped/nano", "", "../nano"])
def test_what_is_neither_is_refused_with_the_names(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no file .*, or one of gsm8k, nano, "):
        load_recipe(name)


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_says_in_its_first_line_what_it_is_for_on_what_and_whether_it_was_run(name: str):
    first = summary(shipped()[name])
    assert len(first) <= 90
    assert first.endswith(".")
    purpose, hardware, proof = first.split("; ")
    assert purpose
    assert any(word in hardware for word in ("CPU", "GPU"))
    assert proof.startswith(("run", "not run"))
