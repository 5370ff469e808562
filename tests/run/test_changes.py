"""What of a recipe may change when a run is resumed, and where its paths are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from small_runs import differences, small_recipe
from srpo.metrics import read_metrics
from srpo.models import model_path
from srpo.observer import Observer
from srpo.recipe.load import load_recipe
from srpo.run import session
from srpo.run.anew import recipe_from
from srpo.run.changes import MAY_CHANGE
from srpo.run.checkpoint import checkpoints
from srpo.types import UserError


class Told(Observer):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def edit(run: Path, **over: Any) -> None:
    """The recipe on disk, keys dotted with `__`."""
    tree = yaml.safe_load((run / "recipe.yaml").read_text())
    for key, value in over.items():
        *parents, last = key.split("__")
        node = tree
        for parent in parents:
            node = node[parent]
        if last == "kind":  # settings of another kind go, as with --set
            node.clear()
        node[last] = value
    (run / "recipe.yaml").write_text(yaml.safe_dump(tree))


def points(run: Path) -> list[tuple[str, int]]:
    lines = (run / "evals.jsonl").read_text().splitlines()
    return [(e["point"], e["step"]) for e in map(json.loads, lines)]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("short") / "run"
    session.train(small_recipe(run, max_steps=2, eval__samples=2), Observer())
    return run


@pytest.fixture
def run(short: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "run"))


@pytest.mark.parametrize(
    ("over", "named"),
    [
        ({"learner__weight_decay": 0.1}, r"learner\.weight_decay is 0\.1, was 0\.0"),
        ({"learner__betas": [0.5, 0.6]}, r"learner\.betas is \[0\.5, 0\.6\]"),
        ({"learner__lr": 1.0}, r"learner\.lr is 1\.0, was 0\.001"),
        ({"data__template": "Q: {prompt}"}, r"data\.template is 'Q: "),
        ({"curriculum__kind": "mixed"}, r"curriculum(\.kind)? is .*mixed"),
        ({"sampler__strategy": "none"}, r"sampler\.strategy is "),
        ({"loss__kl_coef": 0.1, "seed": 9}, r"seed is 9, was 3; loss\.kl_coef is"),
        ({"model": "elsewhere"}, r"model is 'elsewhere', was 'nano'"),
        ({"rollout__temperature": 0.5, "max_steps": 9}, r"rollout\.temperature is 0\.5"),
    ],
)
def test_what_makes_it_another_run_is_refused_by_name(
    run: Path, over: dict[str, Any], named: str
) -> None:
    edit(run, **over)
    before = sorted(run.rglob("*"))
    with pytest.raises(UserError, match=rf"not those of the run: {named}.*train --from"):
        session.resume(run, Observer())
    assert sorted(run.rglob("*")) == before


def test_what_may_change_is_applied_and_recorded(run: Path) -> None:
    edit(run, checkpoint__every=1, verifier__workers=1)
    told = Told()
    end = session.resume(run, told, ["max_steps=4", "eval.every=3"])
    assert (end.finished, end.step) == (True, 4)
    assert points(run) == [("base", 0), ("step 2", 2), ("stage1", 2), ("step 3", 3), ("final", 4)]
    changes = json.loads((run / "summary.json").read_text())["changes"]
    assert {c["field"]: (c["after_step"], c["before"], c["now"]) for c in changes} == {
        "max_steps": (2, 2, 4),
        "eval.every": (2, None, 3),
        "checkpoint.every": (2, 2, 1),
        "verifier.workers": (2, None, 1),
    }
    assert "recipe: max_steps is 4, was 2" in told.messages
    assert load_recipe(run / "recipe.yaml").max_steps == 4
    assert len(checkpoints(run / "checkpoints")) == 2
    session.resume(run, told)
    again = json.loads((run / "summary.json").read_text())["changes"]
    assert again == changes, "recorded once"


def test_every_field_that_may_change_is_one_of_the_recipe() -> None:
    tree = small_recipe(Path("x")).model_dump()
    for field in MAY_CHANGE:
        node: Any = tree
        for key in field.split("."):
            assert key in node, field
            node = node[key]


@pytest.mark.parametrize("strategy", ["history", {"kind": "forecast", "min_prompts": 3}])
def test_a_run_that_is_made_longer_is_the_run_that_was_so_long(
    tmp_path: Path, strategy: Any
) -> None:
    """Even in the middle of an epoch."""
    over: dict[str, Any] = {"sampler__strategy": strategy, "eval__at": ["base"]}
    over["curriculum__kind"] = "mixed"
    long = tmp_path / "long"
    session.train(small_recipe(long, max_steps=9, **over), Observer())
    for end in (3, 4):
        short = tmp_path / f"short-{end}"
        session.train(small_recipe(short, max_steps=end, **over), Observer())
        session.resume(short, Observer(), ["max_steps=9"])
        assert differences(long, short) == ["summary"], "which says what was changed"


def test_an_evaluation_at_the_old_end_is_one_on_the_way(run: Path) -> None:
    assert points(run) == [("base", 0), ("final", 2)]
    session.resume(run, Observer(), ["max_steps=3"])
    assert points(run) == [("base", 0), ("step 2", 2), ("stage1", 2), ("final", 3)]


def test_a_run_goes_on_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    shutil.copytree(model_path("nano"), here / "models/mine")
    rows = [{"prompt": f"Compute {i}+1.", "answer": str(i + 1)} for i in range(6)]
    (here / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    over = {
        "model": "models/mine",
        "data__train": [{"path": "data.jsonl", "domain": "math"}],
        "data__eval": [{"path": "data.jsonl", "domain": "math", "limit": 2}],
        "curriculum__kind": "math-only",
        "max_steps": 1,
    }
    monkeypatch.chdir(here)
    session.train(small_recipe(Path("runs/one"), **over), Observer())
    monkeypatch.chdir(there)
    session.resume(here / "runs/one", Observer(), ["max_steps=2"])
    assert len(read_metrics(here / "runs/one/metrics.jsonl")) == 2
    assert load_recipe(here / "runs/one/recipe.yaml").model == "models/mine", "as it was written"
    anew = recipe_from(here / "runs/one", None, None)
    assert anew.data.train[0].path == str(here / "data.jsonl")


def test_another_model_in_the_same_place(tmp_path: Path) -> None:
    model = Path(shutil.copytree(model_path("nano"), tmp_path / "m"))
    for coefficient, other in ((0.1, "measures against those"), (0.0, "its shape was")):
        run = tmp_path / f"run-{coefficient}"
        over: dict[str, Any] = {"model": str(model), "loss__kl_coef": coefficient}
        session.train(small_recipe(run, max_steps=1, data__eval=[], **over), Observer())
        if coefficient:
            shutil.rmtree(model)
            shutil.copytree(run / "model", model)
        else:
            config = json.loads((model / "config.json").read_text()) | {"intermediate_size": 16}
            narrow(model, config)
        with pytest.raises(UserError, match=other):
            session.resume(run, Observer(), ["max_steps=2"])


def narrow(model: Path, config: dict[str, Any]) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    Qwen2ForCausalLM(Qwen2Config(**config)).save_pretrained(model)


def test_another_run_starts_with_a_runs_weights(run: Path) -> None:
    recipe = recipe_from(run, None, ["learner.lr=1e-5", "max_steps=1"])
    assert recipe.output_dir == f"{run}-2"
    assert (recipe.model, recipe.learner.lr) == (str(run / "model"), 1e-5)
    session.train(recipe, Observer())
    assert recipe_from(run, None, ["seed=4"]).output_dir == f"{run}-3"
    assert recipe_from(run, None, ["output_dir=there"]).output_dir == "there"
    assert recipe_from(run, Path("gsm8k"), None).output_dir == load_recipe("gsm8k").output_dir
    assert (Path(f"{run}-2") / "model/model.safetensors").exists()


def test_a_run_that_did_not_end_gives_the_weights_of_its_last_checkpoint(run: Path) -> None:
    whole = (run / "model/model.safetensors").read_bytes()
    (run / "summary.json").unlink()
    shutil.rmtree(run / "model")
    recipe = recipe_from(run, None, None)
    assert recipe.model == str(run / "model-step-000002")
    assert (Path(recipe.model) / "model.safetensors").read_bytes() == whole
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(recipe.model)
    with pytest.raises(UserError, match="has no checkpoint yet"):
        recipe_from(run, None, None)
