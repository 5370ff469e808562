"""An evaluation as a whole: stopped anywhere, judged anew, asked as the run was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from small_runs import small_recipe
from srpo.evaluation.store import Responses
from srpo.recipe.evaluation import Evaluation
from srpo.recipe.load import load_recipe, parse_section
from srpo.run.evaluation import Place, config_of, evaluate, resolve
from srpo.run.folder import RunFolder
from srpo.run.target import Target, find_target
from srpo.types import Outcome, Problem, UserError, Verdict

NANO = [
    {"path": "nano:math", "domain": "math", "split": "heldout", "limit": 9},
    {"path": "nano:code", "domain": "code", "split": "heldout", "limit": 5},
]
TREE: dict[str, Any] = {
    "model": "nano",
    "sets": NANO,
    "samples": 3,
    "rollout": {"max_rows": 6, "max_new_tokens": 24},  # parts of four problems
    "verifier": {"workers": 1},
}


class Stop(BaseException):
    """In the place of a kill."""


def run(out: Path, tree: dict[str, Any] = TREE, **place: Any) -> dict[str, Any]:
    path = evaluate(tree, Place(out, **place), lambda *_: None, lambda _: None)
    return json.loads(path.read_text())


def files(out: Path) -> dict[str, bytes]:
    """What there is when all is done: names and contents."""
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return {name: content for name, content in found.items() if name != "lock"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "eval"
    run(out)
    return out


def test_every_response_is_kept_with_its_verdict(whole: Path) -> None:
    rows = [row for p in sorted(whole.glob("responses/*")) for row in pq.read_table(p).to_pylist()]
    assert len(rows) == (9 + 5) * 3
    assert {row["sample"] for row in rows} == {0, 1, 2}
    result = json.loads((whole / "result.json").read_text())
    for one in result["sets"]:
        own = [row for row in rows if row["benchmark"] == one["name"]]
        rates = [row["outcome"] == "correct" for row in own]
        assert one["numbers"]["avg@n"] == pytest.approx(sum(rates) / len(own))
        assert one["numbers"]["mean_tokens"] == pytest.approx(
            sum(row["tokens"] for row in own) / len(own)
        )


@pytest.mark.parametrize("part", range(5))
def test_stopped_anywhere_it_comes_to_the_same_files(whole: Path, tmp_path: Path, part: int):
    """At the beginning of each of its parts, with a file that a kill left half written."""
    told = 0

    def stop(*_: Any) -> None:
        nonlocal told
        told += 1
        if told > part:
            raise Stop

    out = tmp_path / "eval"
    with pytest.raises(Stop):
        evaluate(TREE, Place(out), stop, lambda _: None)
    if 0 < part < 3:
        half = Responses(out).part("nano:math", part)
        half.with_name(f".writing-{half.name}").write_bytes(b"PAR1 half a file")
    run(out)
    assert files(out) == files(whole)


def test_other_settings_are_refused_and_nothing_is_lost(whole: Path) -> None:
    before = files(whole)
    with pytest.raises(UserError, match="with another config; finish it"):
        run(whole, TREE | {"samples": 2})
    assert files(whole) == before


def test_a_plan_by_which_nothing_was_done_is_no_hindrance(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="512 positions; use at most"):
        run(tmp_path / "eval", TREE | {"rollout": {"max_new_tokens": 600}})
    small = TREE | {"sets": [NANO[0] | {"limit": 1}], "samples": 1}
    assert run(tmp_path / "eval", small)["config"]["samples"] == 1


def test_a_missing_response_is_an_error(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "eval"
    run(out)
    part = Responses(out).part("nano:math", 1)
    pq.write_table(pq.read_table(part).slice(1), part)
    with pytest.raises(UserError, match="not 3 responses to each of its"):
        run(out)
    part.write_bytes(b"damaged")
    with pytest.raises(UserError, match="delete it, and the same command makes it anew"):
        run(out)
    part.unlink()
    run(out)
    assert files(out) == files(whole)


def broken(problem: Problem, text: str) -> Verdict:
    """A verifier whose machine is out of order."""
    if Path("broken").exists():
        return Verdict(Outcome.ERROR, None, "out of order")
    return Verdict(Outcome.CORRECT, "1")


def test_without_a_verdict_there_are_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A failure of ours is no wrong answer, and no smaller denominator."""
    monkeypatch.chdir(tmp_path)
    Path("broken").touch()
    own = {"workers": 1, "own": {"math": f"{__name__}:broken"}}
    tree = TREE | {"sets": [NANO[0]], "verifier": own}
    with pytest.raises(UserError, match=r"27 of 27 responses of nano:math have no verdict.*again"):
        run(tmp_path / "eval", tree)
    assert not (tmp_path / "eval" / "result.json").exists()
    sampled = pq.read_table(Responses(tmp_path / "eval").part("nano:math", 0))["response"]
    Path("broken").unlink()
    [found] = run(tmp_path / "eval", tree)["sets"]
    assert found["numbers"]["avg@n"] == 1.0
    again = pq.read_table(Responses(tmp_path / "eval").part("nano:math", 0))["response"]
    assert again == sampled


def test_judged_anew_without_asking(whole: Path, tmp_path: Path) -> None:
    """The same verifier says the same; another one, another thing, of the same responses."""
    tree = config_of(whole)
    same = run(tmp_path / "same", tree, earlier=whole)
    assert same["sets"] == json.loads((whole / "result.json").read_text())["sets"]
    own = tree["verifier"] | {"own": {"math": f"{__name__}:broken"}}
    other = run(tmp_path / "other", tree | {"verifier": own}, earlier=whole)
    assert other["sets"][0]["numbers"]["avg@n"] == 1.0
    assert other["sets"][1] == same["sets"][1]


def test_math_verify_stands_beside(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("math_verify")
    tree = config_of(whole) | {"beside": ["math-verify"], "sets": [NANO[0]]}
    [found] = run(tmp_path / "eval", tree, earlier=whole)["sets"]
    ours, theirs = found["numbers"], found["beside"]["math-verify"]
    assert theirs["problems"] == ours["problems"]
    assert abs(theirs["avg@n"] - ours["avg@n"]) < 0.5
    rows = pq.read_table(Responses(tmp_path / "eval").part("nano:math", 0)).to_pylist()
    assert {row["math-verify: outcome"] for row in rows} <= {"correct", "incorrect"}
    assert {row["lcb-compatible: outcome"] for row in rows} == {None}


def test_a_runs_model_is_asked_as_it_was_trained(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, rollout__temperature=0.7, eval__samples=5)
    found = resolve({"rollout": {"top_p": 0.9}}, Target("m", recipe, RunFolder(tmp_path)))
    assert found.samples == 5
    assert found.templates == {}
    assert (found.rollout.temperature, found.rollout.top_p) == (0.7, 0.9)
    assert found.data.template == recipe.data.template
    assert found.verifier == recipe.verifier


def test_a_model_alone_has_the_sections_defaults() -> None:
    found = resolve({}, Target("some/model", load_recipe("nano"), None))
    assert found == parse_section(Evaluation, {}, "")


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"sets": []}, "--on: nothing is asked"),
        ({"sets": ["heldout"]}, "'heldout' is what the run"),
        ({"sets": ["nano:maths"]}, "is no benchmark"),
        ({"sets": ["nano:math", "nano:math"]}, "asked for twice"),
        ({"samples": 0}, "samples: input should be greater than or equal to 1"),
        ({"templates": {"math": "x"}}, "must contain {prompt}"),
        ({"rolout": {}}, "unknown key 'rolout'"),
        ({"data": {"style": "chat"}}, "data.style: 'chat', but the tokenizer has no chat template"),
        ({"model": "/no/such/folder"}, "there is no such folder"),
        ({"sets": ["aime24"], "model": "nano"}, "--data"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, tree: dict[str, Any], says: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=says.replace("{", r"\{")):
        run(tmp_path / "eval", TREE | tree, data=tmp_path / "empty")


def test_nano_is_a_target() -> None:
    assert find_target("nano").folder is None
