"""Three families through benchmarks/architectures.py, and how it shows what does not train."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import load_script

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "architectures.py"


@pytest.fixture(scope="module")
def script() -> Any:
    return load_script("architectures")


def test_two_families_train_and_one_is_refused_by_name(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    families = ["Gemma 2", "Qwen3-MoE", "MiniMax"]
    subprocess.run([sys.executable, SCRIPT, *families, "--page", page], check=True)
    rows = json.loads((tmp_path / "page-transformers.json").read_text())["rows"]
    assert list(rows) == families
    for name in families[:2]:
        row = rows[name]
        assert row["greedy"] == [4, 4]
        assert row["mean"] <= row["max"] < 1e-3
        assert 0 < row["changed"][0] <= row["changed"][1]
        assert row["saved"] < 1e-5
        assert row["again"]
        assert not row["refused"] + row["failed"]
    assert "cannot decode a MiniMaxForCausalLM step by step" in rows["MiniMax"]["refused"]
    text = page.read_text()
    assert "2 of 3 families train, 1 refused, 0 fail" in text
    assert "| Gemma 2 | `Gemma2ForCausalLM` | 4/4 |" in text


@pytest.mark.parametrize("how", ["dies", "raises", "hangs"])
def test_what_goes_wrong_in_a_family_is_its_row(
    script: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def broken(*_: Any) -> None:
        if how == "dies":
            script.os.abort()
        if how == "hangs":
            script.time.sleep(60)
        raise RuntimeError("a | in it")

    monkeypatch.setattr(script, "round_of", broken)
    result = script.in_own_process("Llama", "transformers", 2.0 if how == "hangs" else 60.0)
    said = {"dies": "ended with -6", "raises": "RuntimeError: a | in it", "hangs": "nothing after"}
    assert said[how] in result.failed
    assert result.verdict().startswith("FAILS")
    assert script.line("Llama", result).replace("\\|", "").count("|") == 10, "a row of 9 cells"
