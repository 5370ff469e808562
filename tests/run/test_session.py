"""A run begins and ends in order: lock first, everything closed again, a stop is soon."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from small_runs import differences, small_recipe
from srpo.errors import EngineError
from srpo.metrics import Row, read_metrics
from srpo.models import load_model, load_tokenizer, model_path
from srpo.observer import Observer
from srpo.recipe.load import load_recipe
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.run import session
from srpo.run.checkpoint import checkpoints
from srpo.run.folder import RunFolder
from srpo.types import TrainingError, UserError
from srpo.weights import WeightSource


class Watch(Observer):
    """Notes what it is told, and asks to stop at one of the points."""

    def __init__(self, stop_at: tuple[str, int] = ("", 0), stop_at_step: int = 0) -> None:
        self.stop_at_step = stop_at_step
        self.told: list[str] = []
        self.stop_at, self.asked = stop_at, False
        self.groups_after_the_stop = 0
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def started(self, recipe: Any, run: Path, resumed_at: int) -> None:
        self.told.append("started")

    def stage(self, name: str, reason: str) -> None:
        self.told.append(f"stage {name}")

    def evaluated(self, point: str, results: Row) -> None:
        self.told.append(f"evaluated {point}")

    def step(self, row: Row) -> None:
        self.told.append(f"step {row['step']}")
        if row["step"] == self.stop_at_step:
            signal.raise_signal(signal.SIGTERM)

    def closed(self) -> None:
        self.told.append("closed")

    def phase(self, name: str, done: int, total: int) -> None:
        if name == "evaluate":
            self.groups_after_the_stop += self.asked
            if (self.told[-1], done) == self.stop_at:
                self.asked = True
                signal.raise_signal(signal.SIGTERM)


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Another process has the lock."""
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX);"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    watch = Watch()
    assert session.train(small_recipe(run, eval__every=2), watch).finished
    assert watch.told == [
        "started", "stage stage1", "evaluated base", "step 1", "step 2", "evaluated step 2",
        "evaluated stage1", "stage stage2", "step 3", "step 4", "evaluated step 4", "step 5",
        "evaluated final", "closed",
    ]  # fmt: skip
    return run


@pytest.mark.parametrize("command", ["train", "resume"])
def test_the_lock_is_taken_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """To open an engine on a server gives it other weights, while the other process trains."""
    monkeypatch.setattr(session, "open_parts", lambda *_: pytest.fail("it was opened"))
    run, recipe = tmp_path / "run", small_recipe(tmp_path / "run")
    run.mkdir()
    if command == "resume":
        (run / "recipe.yaml").write_text("model: nano\n")
        (run / "metrics.jsonl").touch()
    before = sorted(run.iterdir())
    with (
        held(run / ".lock"),
        pytest.raises(UserError, match="another process is training in it"),
    ):
        session.train(recipe, Watch()) if command == "train" else session.resume(run, Watch())
    assert sorted(run.iterdir()) == [run / ".lock", *before]


def test_a_folder_with_a_recipe_of_ones_own_is_no_run(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    (tmp_path / "recipe.yaml").write_text("model: nano\n")
    with pytest.raises(UserError, match=r"is no run: it has no metrics\.jsonl"):
        session.resume(tmp_path, Observer())
    with pytest.raises(UserError, match=r"holds other things \(\['recipe.yaml'\]\)"):
        session.train(recipe, Observer())
    assert [file.name for file in tmp_path.iterdir()] == ["recipe.yaml"]


def test_what_was_opened_is_closed_when_a_later_part_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    monkeypatch.setattr(TransformersEngine, "close", lambda engine: closed.append(engine))
    run, watch = tmp_path / "run", Watch()
    run.mkdir()
    (run / "rollouts").write_text("a file where a folder shall be")
    with pytest.raises(UserError, match="output_dir: cannot write"):
        session.train(small_recipe(run), watch)
    assert len(closed) == 1
    assert watch.told == ["closed"]
    assert [p.name for p in run.iterdir()] == ["rollouts"], "no lock stays behind"


@pytest.mark.parametrize("there", [True, False])
def test_a_start_that_is_refused_leaves_the_disk_as_it_was(tmp_path: Path, there: bool) -> None:
    run = tmp_path / "a" / "run"
    if there:
        run.mkdir(parents=True)
    with pytest.raises(UserError, match="use at most"):
        session.train(small_recipe(run, rollout__max_new_tokens=510), Observer())
    assert run.exists() is there
    assert list(tmp_path.rglob("*/run/*")) == []


def test_a_lock_that_its_owner_removed_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the file and locking it, the other process gave up and removed it."""
    lock, take = tmp_path / ".lock", fcntl.lockf

    def late(*arguments: Any) -> None:
        lock.unlink()
        take(*arguments)

    monkeypatch.setattr(fcntl, "lockf", late)
    monkeypatch.setattr(session, "open_parts", lambda *_: pytest.fail("it was opened"))
    (tmp_path / "recipe.yaml").write_text("model: nano\n")
    (tmp_path / "metrics.jsonl").touch()
    with pytest.raises(UserError, match="another process"):
        session.resume(tmp_path, Observer())


@pytest.mark.parametrize("at", [("stage stage1", 1), ("step 2", 2), ("step 5", 3)])
def test_a_signal_in_an_evaluation_stops_it_soon_and_the_resumed_run_repeats_it(
    whole: Path, tmp_path: Path, at: tuple[str, int]
) -> None:
    """Of 4 held-out problems, at the base model, on the way and at the end."""
    run, watch = tmp_path / "run", Watch(stop_at=at)
    end = session.train(small_recipe(run, eval__every=2), watch)
    assert (end.finished, end.signal) == (False, signal.SIGTERM)
    assert watch.groups_after_the_stop == 0
    assert watch.told[-2:] == [at[0], "closed"], "no result of half an evaluation"
    assert checkpoints(run / "checkpoints")[-1].name == f"step-{end.step:06d}"
    assert session.resume(run, Watch()).finished
    assert differences(whole, run) == []


def test_every_step_logs_the_version_that_sampled(whole: Path) -> None:
    rows = read_metrics(whole / "metrics.jsonl")
    assert [row["policy/version"] for row in rows] == [0, 1, 2, 3, 4]


def test_rollouts_of_other_weights_than_the_last_are_not_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = TransformersEngine.load_weights

    def skipping(engine: TransformersEngine, source: WeightSource) -> None:
        if source.version != 2:
            load(engine, source)

    monkeypatch.setattr(TransformersEngine, "load_weights", skipping)
    run = tmp_path / "run"
    with pytest.raises(
        TrainingError, match=rf"step 3: .*version 1, .*version 2; .*srpo resume {run}"
    ):
        session.train(small_recipe(run, data__eval=[]), Observer())
    assert len(read_metrics(run / "metrics.jsonl")) == 2


def test_the_same_weights_are_evaluated_once(tmp_path: Path) -> None:
    run, watch = tmp_path / "run", Watch()
    session.train(small_recipe(run, eval__every=2, eval__samples=2, max_steps=4), watch)
    lines = [json.loads(line) for line in (run / "evals.jsonl").read_text().splitlines()]
    points = {line.pop("point"): line for line in lines}
    assert list(points) == ["base", "step 2", "stage1", "step 4", "final"]
    assert points["step 2"] == points["stage1"]
    assert points["step 4"] == points["final"] != points["base"]


def odd_model(where: Path, file: str, **settings: Any) -> str:
    """nano's folder with other settings in one of its files."""
    shutil.copytree(model_path("nano"), where)
    found = where / file
    found.write_text(json.dumps(json.loads(found.read_text()) | settings))
    return str(where)


def test_a_contradiction_in_the_generation_config_costs_no_model(tmp_path: Path) -> None:
    model = odd_model(tmp_path / "m", "generation_config.json", do_sample=False, min_p=0.1)
    run, watch = tmp_path / "run", Watch()
    assert session.train(small_recipe(run, model=model, max_steps=1, data__eval=[]), watch).finished
    assert (run / "model/model.safetensors").exists()
    assert any("generation_config" in text and "min_p 0.1" in text for text in watch.messages)


@pytest.mark.parametrize("more", ["pad_token", "a token of the prompt"])
def test_tokens_beyond_the_embedding_are_refused_at_start(tmp_path: Path, more: str) -> None:
    tokenizer = load_tokenizer("nano")
    path = odd_model(tmp_path / "m", "config.json", vocab_size=len(tokenizer))
    model: Any = load_model("nano", "float32", torch.device("cpu"))
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(path)
    template = "{prompt}\n"
    if more == "pad_token":
        tokenizer.add_special_tokens({"pad_token": "<mine>"})
    else:
        tokenizer.add_special_tokens({"additional_special_tokens": ["<mine>"]})
        template += "<mine>"
    tokenizer.save_pretrained(path)
    over = {"model": path, "data__template": template, "data__eval": []}
    with pytest.raises(UserError, match=rf"{more.split()[-1]}.* is token {len(tokenizer) - 1}"):
        session.train(small_recipe(tmp_path / "run", **over), Observer())
    assert not (tmp_path / "run").exists()


def chat_model(where: Path, template: str) -> str:
    """nano, with a chat template."""
    return odd_model(where, "tokenizer_config.json", chat_template=template)


CLOCK = "{{ strftime_now('%d %b %Y %H:%M:%S.%f') }} {{ messages[-1]['content'] }}"


@pytest.mark.parametrize("changed", [False, True])
def test_a_resumed_run_asks_the_same_questions(tmp_path: Path, changed: bool) -> None:
    """By the clock of its beginning, and by the same chat template."""
    model, run = chat_model(tmp_path / "m", CLOCK), tmp_path / "run"
    recipe = small_recipe(run, model=model, data__eval=[], max_steps=4, checkpoint__every=1)
    assert not session.train(recipe, Watch(stop_at_step=2)).finished
    if changed:
        shutil.rmtree(tmp_path / "m")
        chat_model(tmp_path / "m", f"{CLOCK} Now:")
        with pytest.raises(UserError, match="does not make the prompts that"):
            session.resume(run, Watch())
    else:
        assert session.resume(run, Watch()).finished


def test_a_recipe_that_is_there_is_not_replaced_by_another_processs(tmp_path: Path) -> None:
    """Even where a file system has no locks."""
    one, other = (small_recipe(tmp_path / "run", seed=seed) for seed in (11, 22))
    RunFolder(tmp_path / "run").create(one, [])
    with pytest.raises(UserError, match="already holds a run"):
        RunFolder(tmp_path / "run").create(other, [])
    assert load_recipe(tmp_path / "run/recipe.yaml") == one
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "recipe.yaml", "began.json", "domains.json", "metrics.jsonl", "rollouts"
    }  # fmt: skip


def test_what_ends_a_response_is_said_and_so_is_that_nothing_does(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.content }}<|pad|>{% endfor %}"
    over = {"data__eval": [], "max_steps": 1}
    model, watch = chat_model(tmp_path / "m", template), Watch()
    session.train(small_recipe(tmp_path / "a", model=model, **over), watch)
    assert "a response ends with <|endoftext|> (0), or <|pad|> (1)" in watch.messages
    model, watch = chat_model(tmp_path / "n", template.replace("<|pad|>", "\n")), Watch()
    over["rollout__max_new_tokens"] = 1
    session.train(small_recipe(tmp_path / "b", model=model, **over), watch)
    assert any("ends an answer with no control token" in text for text in watch.messages)
    assert any("first step's responses were cut" in text for text in watch.messages)


def test_a_stop_token_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"stop_token_ids is token 999"):
        session.train(small_recipe(tmp_path / "run", rollout__stop_token_ids=[3, 999]), Watch())


def test_to_resume_is_not_advised_where_it_failed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def broken(*_: Any) -> None:
        raise EngineError("the engine is broken")

    monkeypatch.setattr(TransformersEngine, "generate", broken)
    monkeypatch.setattr(TransformersEngine, "check", lambda _: None)
    recipe = small_recipe(run, data__eval=[])
    with pytest.raises(EngineError, match=r"step 1: .* is broken; go on .*srpo resume"):
        session.train(recipe, Observer())
    with pytest.raises(
        EngineError, match=r"it would end there again; .*srpo train --from"
    ) as again:
        session.resume(run, Observer())
    assert "srpo resume" not in str(again.value)
    monkeypatch.undo()
    assert session.resume(run, Observer()).finished
    assert not (run / ".failure").exists()


def test_a_folder_that_holds_other_things_is_no_place_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match=r"output_dir: .* holds other things \(\['thesis.tex'\]\)"):
        session.train(small_recipe(tmp_path), Observer())
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_killed_start_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").touch()
    (tmp_path / ".writing-recipe-123").touch()
    (tmp_path / ".lock").touch()
    RunFolder(tmp_path).check_free()
