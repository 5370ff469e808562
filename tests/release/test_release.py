"""What is in a released folder, and where one may go."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tokenizers import processors
from transformers import AutoModelForCausalLM, AutoTokenizer

from srpo.data.prompts import Prompter
from srpo.data.sources import load_problems
from srpo.domains import find_domains
from srpo.models import eos_ids_of, load_model, load_tokenizer
from srpo.recipe.load import load_recipe
from srpo.release.release import Weights, release
from srpo.report.push import upload
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import UserError

CPU = torch.device("cpu")


def copy(run: Path, to: Path, **recipe: Any) -> Path:
    """The run in another place, with other values in its recipe (dotted with `__`)."""
    shutil.copytree(run, to)
    tree = yaml.safe_load((to / "recipe.yaml").read_text())
    for key, value in recipe.items():
        *parents, last = key.split("__")
        node = tree
        for parent in parents:
            node = node[parent]
        node[last] = value
    (to / "recipe.yaml").write_text(yaml.safe_dump(tree))
    return to


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {k: t for f in folder.glob("*.safetensors") for k, t in load_file(f).items()}


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_the_weights_are_the_runs(run: Path, released: Path):
    ours, theirs = weights(released), weights(run / "model")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert (released / "recipe.yaml").read_bytes() == (run / "recipe.yaml").read_bytes()


def test_another_precision_in_shards(run: Path, tmp_path: Path):
    out = release(run, tmp_path / "a" / "b", Weights("bfloat16", "500KB"))
    assert len(list(out.glob("*.safetensors"))) > 1
    ours, theirs = weights(out), weights(run / "model")
    assert all(torch.equal(ours[k], theirs[k].bfloat16()) for k in theirs)
    assert read(out, "config.json")["dtype"] == "bfloat16"
    assert "in bfloat16" in (out / "README.md").read_text()


def test_sampling_is_the_trainings(released: Path):
    config = read(released, "generation_config.json")
    del config["transformers_version"]
    assert config == {
        "do_sample": True,
        "temperature": 1.0,
        "top_p": 0.9,
        "top_k": 0,
        "max_new_tokens": 48,
        "eos_token_id": [0, 7],
        "pad_token_id": 1,
    }


@pytest.mark.parametrize("stop", [[], ["</answer>", "=", "\n"]])
def test_generate_stops_where_training_did(run: Path, tmp_path: Path, stop: list[str]):
    trained = copy(run, tmp_path / "run", rollout__stop=stop)
    out = release(trained, tmp_path / "out", Weights())
    recipe = load_recipe(trained / "recipe.yaml")
    problems = load_problems(recipe.data.train, "data.train", recipe.seed)
    tokenizer = load_tokenizer(str(trained / "model"))
    prompter = Prompter(tokenizer, recipe.data, find_domains(["math", "code"]))
    eos = eos_ids_of(str(trained / "model"), tokenizer) | {7}
    engine = TransformersEngine(
        load_model(str(trained / "model"), "float32", CPU), tokenizer, 9, eos
    )
    greedy = Sampling(1.0, 1.0, 48, top_k=1, stop=tuple(stop))
    asked = [Request(i, prompter.ids(p), 1, 0) for i, p in enumerate(problems)]
    theirs: Any = AutoTokenizer.from_pretrained(out)
    model: Any = AutoModelForCausalLM.from_pretrained(out)
    reasons = set()
    for request, [rollout] in engine.generate(asked, greedy):
        chat = [{"role": "user", "content": problems[request.index].prompt}]
        inputs = theirs.apply_chat_template(
            chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        assert inputs["input_ids"][0].tolist() == request.prompt_ids
        found = model.generate(**inputs, tokenizer=theirs, do_sample=False)
        assert found[0, len(request.prompt_ids) :].tolist() == rollout.token_ids.tolist()
        reasons.add(str(rollout.finish_reason))
    assert "stop" in reasons


def test_the_checksums_are_those_of_sha256sum(released: Path, tmp_path: Path):
    out = shutil.copytree(released, tmp_path / "out")
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=out, capture_output=True, text=True, check=True)
    names = {p.name for p in out.iterdir()} - {"SHA256SUMS"}
    assert done.stdout.split("\n")[:-1] == [f"{name}: OK" for name in sorted(names)]
    assert {"README.md", "recipe.yaml", "curves.png", "model.safetensors"} < names
    (out / "recipe.yaml").write_text("model: another\n")
    assert subprocess.run(check, cwd=out, capture_output=True).returncode == 1


def test_an_interrupted_run_is_released_from_its_checkpoint(run: Path, tmp_path: Path):
    trained = copy(run, tmp_path / "run")
    (trained / "summary.json").unlink()
    shutil.rmtree(trained / "model")
    out = release(trained, tmp_path / "out", Weights())
    ours, theirs = weights(out), weights(run / "model")
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    card = (out / "README.md").read_text()
    assert "after step 2 of a run that is not finished" in card
    shutil.rmtree(trained / "checkpoints")
    shutil.rmtree(trained / "model-step-000002")
    with pytest.raises(UserError, match="has no checkpoint yet"):
        release(trained, tmp_path / "other", Weights())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "run"]


def test_texts_of_several_domains_are_told(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One of the domains is the user's own, beside the place where training began."""
    source = "from dataclasses import replace\nfrom srpo.domains.math import MATH\n"
    source += "CLOCK = replace(MATH, name='clock', template='Clock: {prompt}')\n"
    (tmp_path / "clocks_of_mine.py").write_text(source)
    data = [{"path": "nano:math", "domain": d} for d in ("clocks_of_mine:CLOCK", "math")]
    changes: dict[str, Any] = {"data__train": data, "data__eval": [], "data__template": None}
    changes["curriculum"] = {"kind": "mixed"}
    trained = copy(run, tmp_path / "run", **changes)
    began = read(trained, "began.json") | {"folder": str(tmp_path)}
    (trained / "began.json").write_text(json.dumps(began))
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    said: list[str] = []
    out = release(trained, tmp_path / "out", Weights(), say=said.append)
    assert said == [
        "Training put other text around the questions of math; the template here has that of clock."
    ]
    assert said[0] in (out / "README.md").read_text()
    tokenizer: Any = AutoTokenizer.from_pretrained(out)
    chat = [{"role": "user", "content": "1?"}]
    assert tokenizer.apply_chat_template(chat, tokenize=False) == "Clock: 1?"


def test_prompts_that_come_out_otherwise_are_counted(run: Path, tmp_path: Path):
    """A question that begins with the start token: training had it once."""
    trained = copy(run, tmp_path / "run")
    tokenizer = load_tokenizer(str(trained / "model"))
    tokenizer.bos_token = "<|pad|>"
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|pad|> $A", special_tokens=[("<|pad|>", tokenizer.bos_token_id)]
    )
    tokenizer.save_pretrained(trained / "model")
    last = sorted((trained / "rollouts").iterdir())[-1]
    first, *others = last.read_text().splitlines()
    odd = json.dumps(json.loads(first) | {"prompt": "<|pad|>1+1?"})
    last.write_text("\n".join([odd, *others]) + "\n")
    said: list[str] = []
    release(trained, tmp_path / "out", Weights(), say=said.append)
    count = len(others) + 1
    assert said == [f"Of {count} prompts of the training, 1 have other tokens by this template."]


def test_it_goes_to_a_place_of_its_own(run: Path, released: Path, tmp_path: Path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "precious.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(run)
    for to, overwrite, says in (
        (run, True, "in the run's own folder"),
        (run / "model", True, "in the run's own folder"),
        (run / "new" / "folder", False, "in the run's own folder"),
        (tmp_path / "link" / "x", False, "in the run's own folder"),
        (run.parent, True, "no earlier release"),
        (tmp_path / "file", True, "is a file"),
        (full, False, "is not empty"),
        (full, True, "no earlier release"),
    ):
        with pytest.raises(UserError, match=says) as caught:
            release(run, to, Weights(), overwrite)
        assert "\n" not in str(caught.value)
    assert sorted(p.name for p in full.iterdir()) == ["precious.txt"]
    assert not (run / "new").exists()


def test_an_earlier_release_is_replaced_when_told_and_an_empty_folder_is_filled(
    run: Path, released: Path, tmp_path: Path
):
    out = shutil.copytree(released, tmp_path / "out")
    (out / "README.md").write_text("old")
    with pytest.raises(UserError, match="--overwrite to replace an earlier release"):
        release(run, out, Weights())
    release(run, out, Weights(), overwrite=True)
    assert (out / "README.md").read_text() != "old"
    (tmp_path / "empty").mkdir()
    release(run, tmp_path / "empty", Weights())
    assert (tmp_path / "empty" / "SHA256SUMS").is_file()


@contextmanager
def most_bytes(limit: int) -> Iterator[None]:
    """A file that grows beyond it fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("limit", [100, 10_000, 1_000_000])
def test_a_full_disk_is_one_line_and_leaves_nothing(run: Path, tmp_path: Path, limit: int):
    with most_bytes(limit), pytest.raises(UserError, match="cannot write there") as caught:
        release(run, tmp_path / "a" / "out", Weights())
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_or_no_size_is_one_line(run: Path, tmp_path: Path):
    with pytest.raises(UserError, match="there is no such folder"):
        release(tmp_path / "none", tmp_path / "out", Weights())
    with pytest.raises(UserError, match=r"--shard-size '0GB': give a number"):
        Weights(None, "0GB")
    broken = copy(run, tmp_path / "run")
    (broken / "model" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(UserError, match="cannot load"):
        release(broken, tmp_path / "out", Weights())
    (broken / "recipe.yaml").write_text("model: [")
    with pytest.raises(UserError, match="not valid YAML"):
        release(broken, tmp_path / "out", Weights())
    assert not (tmp_path / "out").exists()


class Hub:
    """What `upload` asks of huggingface_hub.HfApi."""

    endpoint = "https://hub.example"

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def create_repo(self, name: str, **more: Any) -> None:
        self.asked.append(more | {"name": name})

    def upload_folder(self, **more: Any) -> None:
        self.asked.append(more)


def test_it_is_pushed_as_a_private_model(released: Path):
    hub = Hub()
    assert upload(released, "me/mine", "model", hub) == "https://hub.example/me/mine"
    assert hub.asked[0] == {
        "name": "me/mine",
        "repo_type": "model",
        "private": True,
        "exist_ok": True,
    }
    assert hub.asked[1]["folder_path"] == str(released)
