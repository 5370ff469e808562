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
from safetensors.torch import load_file, save_file

from srpo import models
from srpo.models import (
    eos_ids,
    eos_ids_of,
    load_model,
    load_tokenizer,
    make_savable,
    model_path,
    outline,
    turn_ends,
)
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


def nano(where: Path, **settings: object) -> Path:
    """nano's folder, its generation config changed."""
    shutil.copytree(model_path("nano"), where)
    file = where / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    return where


@pytest.mark.parametrize(
    ("settings", "dropped"),
    [
        ({}, ()),
        ({"do_sample": True, "temperature": 0.6}, ()),
        ({"temperature": 0.6, "top_k": 20}, ("temperature 0.6", "top_k 20")),
        ({"do_sample": False, "top_p": 0.8, "max_length": 99}, ("top_p 0.8",)),
        ({"early_stopping": True, "length_penalty": 2.0}, ("early_stopping", "length_penalty")),
        ({"pad_token_id": -1}, ("pad_token_id -1",)),
    ],
)
def test_what_a_generation_config_contradicts_is_left_out(
    tmp_path: Path, settings: dict[str, object], dropped: tuple[str, ...]
) -> None:
    path = str(nano(tmp_path / "model", **settings))
    model = load_model(path, "float32", torch.device("cpu"))
    said = make_savable(path, model, load_tokenizer(path))
    assert all(one in said for one in dropped)
    assert bool(said) is bool(dropped)
    model.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved/generation_config.json").read_text())
    assert saved["eos_token_id"] == 0
    kept = {k: v for k, v in settings.items() if not any(d.startswith(k) for d in dropped)}
    assert kept.items() <= saved.items()


def test_a_model_that_cannot_be_saved_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    path = str(nano(tmp_path / "model"))
    model, tokenizer = load_model(path, "float32", torch.device("cpu")), load_tokenizer(path)
    model.config.strange = {1, 2}  # no JSON
    with pytest.raises(UserError, match=r"could not be saved after training .*set") as caught:
        make_savable(path, model, tokenizer)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lacking", ["embed_tokens", "layers.1.self_attn.k_proj", "norm"])
def test_missing_weights_are_refused(tmp_path: Path, lacking: str) -> None:
    path = nano(tmp_path / "model")
    weights = load_file(path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if lacking not in name}
    save_file(kept, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"model: .* lacks \d+ of the weights") as caught:
        load_model(str(path), "float32", torch.device("cpu"))
    assert lacking in str(caught.value)


def test_an_untied_head_that_is_missing_is_refused(tmp_path: Path) -> None:
    path = nano(tmp_path / "model")
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    with pytest.raises(UserError, match=r"lacks 1 of the weights .*lm_head\.weight"):
        load_model(str(path), "float32", torch.device("cpu"))


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


TEMPLATES = {
    "chatml": "{% for m in messages %}<|s|>{{ m.role }}\n{{ m.content }}<|e|>\n{% endfor %}",
    "trimmed": "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}<|e|>{% endfor %}",
    "before the next": (
        "{% for m in messages %}{{ '<|e|>' if m.role == 'user' else '' }}"
        "{{ m.content }}{% endfor %}"
    ),
    "final": (  # as gpt-oss: an answer ends otherwise in the middle of a chat
        "{% for m in messages %}{{ m.content }}{{ '<|e|>' if loop.last else '<|s|>' }}{% endfor %}"
    ),
    "generation": (
        "{% for m in messages %}{{ m.role }}{% generation %}{{ m.content }}<|e|>"
        "{% endgeneration %}{% endfor %}"
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("special", [True, False])
def test_the_token_that_ends_a_turn_is_found(name: str, special: bool) -> None:
    tokenizer = load_tokenizer("nano")
    tokenizer.add_tokens(["<|s|>", "<|e|>", "   "], special_tokens=special)
    end = tokenizer.convert_tokens_to_ids("<|e|>")
    tokenizer.chat_template = TEMPLATES[name]
    assert turn_ends(tokenizer) == {end}
    tokenizer.chat_template = {"default": "{{ messages[0].content }}", "chat": TEMPLATES[name]}
    assert turn_ends(tokenizer) == {end}
    model = load_model("nano", "float32", torch.device("cpu"))
    assert eos_ids(model, tokenizer) == {0, end} == eos_ids_of("nano", tokenizer)


@pytest.mark.parametrize(
    "template",
    [None, "{% for m in messages %}### {{ m.role }}: {{ m.content }}\n{% endfor %}", "{% if %}"],
)
def test_a_template_may_have_no_such_token(template: str | None) -> None:
    tokenizer = load_tokenizer("nano")
    tokenizer.add_tokens(["   ", "\n"])
    tokenizer.chat_template = template
    assert turn_ends(tokenizer) == frozenset()


def test_without_a_generation_config_the_models_config_says_what_ends_a_response(
    tmp_path: Path,
) -> None:
    path = nano(tmp_path / "model")
    (path / "generation_config.json").unlink()
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"eos_token_id": [5, 6]}))
    tokenizer = load_tokenizer(str(path), offline=True)
    model = load_model(str(path), "float32", torch.device("cpu"))
    assert eos_ids_of(str(path), tokenizer) == {0, 5, 6} == eos_ids(model, tokenizer)


def test_a_hub_that_cannot_be_reached_is_asked_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class NoNetwork:
        def head(self, url: str, **_: object) -> None:
            asked.append(url)
            raise OSError("Name or service not known")

    models._hub_answers.cache_clear()
    monkeypatch.setattr(models, "get_session", NoNetwork)
    try:
        for load in (
            load_tokenizer,
            outline,
            lambda name: load_model(name, "float32", torch.device("cpu")),
        ):
            with pytest.raises(
                UserError, match=r"nobody/nothing.*cannot be reached; give"
            ) as caught:
                load("nobody/nothing")
            assert "\n" not in str(caught.value)
    finally:
        models._hub_answers.cache_clear()
    assert len(asked) == 1
    assert "Retry" not in capfd.readouterr().err
    assert not models._is_away(model_path("nano"))


def test_an_outline_has_the_parameters_without_the_weights() -> None:
    config, parameters = outline("nano")
    model = load_model("nano", "float32", torch.device("cpu"))
    assert parameters == sum(p.numel() for p in model.parameters())
    assert config.hidden_size == model.config.hidden_size
