"""Loading models: code that lies in a model's folder is never run, and nobody is asked about it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from srpo.models import load_model, load_tokenizer, model_path
from srpo.types import UserError

ROOT = Path(__file__).parents[1]
RAN = "code of the model's was run"
CODE = f"""raise SystemExit({RAN!r})
"""


def folder(where: Path, known: bool = False, model: bool = True, tokenizer: bool = True) -> str:
    """nano's, with code of its own; `known` says that transformers has classes for it, too."""
    shutil.copytree(model_path("nano"), where)
    (where / "evil.py").write_text(CODE)
    config, settings = where / "config.json", where / "tokenizer_config.json"
    if model:
        auto_map = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
        other = {} if known else {"model_type": "evil"}
        config.write_text(
            json.dumps(json.loads(config.read_text()) | {"auto_map": auto_map} | other)
        )
    if tokenizer:
        auto_map = {"AutoTokenizer": ["evil.Tokenizer", None]}
        other = {} if known else {"tokenizer_class": "EvilTokenizer"}
        text = json.dumps(json.loads(settings.read_text()) | {"auto_map": auto_map} | other)
        settings.write_text(text)
    return str(where)


def test_a_model_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "evil")
    for load in (load_tokenizer, lambda name: load_model(name, "float32", torch.device("cpu"))):
        with pytest.raises(
            UserError, match=r"does not run\s+code from model folders; give"
        ) as caught:
            load(path)
        assert repr(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_transformers_has_itself_is_loaded_without_that_code(tmp_path: Path) -> None:
    path = folder(tmp_path / "known", known=True)
    assert load_tokenizer(path).eos_token_id is not None
    model = load_model(path, "float32", torch.device("cpu"))
    assert type(model).__module__.startswith("transformers.")


def test_nobody_is_asked(tmp_path: Path) -> None:
    """A yes on standard input is no yes; in a process of its own, as transformers asks there."""
    path = folder(tmp_path / "evil")
    code = (
        "import sys, torch\nfrom srpo.models import load_model, load_tokenizer\n"
        "for load in (load_tokenizer, lambda m: load_model(m, 'float32', torch.device('cpu'))):\n"
        "    try: load(sys.argv[1])\n    except ValueError as e: print(type(e).__name__)\n"
    )
    environment = os.environ | {"HF_HOME": str(tmp_path / "home")}
    ran = subprocess.run(
        [sys.executable, "-c", code, path],
        input="y\n" * 9, capture_output=True, text=True, env=environment, timeout=120,
    )  # fmt: skip
    assert ran.stdout.split() == ["UserError", "UserError"], ran
    assert RAN not in ran.stderr
    assert "[y/N]" not in ran.stdout + ran.stderr


def test_every_call_says_it() -> None:
    """transformers' Auto classes, wherever they are called."""
    calls = 0
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("Auto"):
                said = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert said.get("trust_remote_code") == "False", (path, node.lineno)
                calls += 1
    assert calls >= 6
