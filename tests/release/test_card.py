"""The model card says what the run has on record, and nothing of a run is markup in it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from runs import RECIPE, eval_line
from srpo.recipe.load import parse_recipe
from srpo.release.card import Released, card
from srpo.report.reader import open_run
from srpo.report.run.conclusions import read_facts

EVIL = "a|b</details><script>alert(1)</script>\n# `x` ![i](http://evil)"


def folder(path: Path, evals: list[dict[str, Any]] = [], **recipe: Any) -> Path:  # noqa: B006
    """A run that left nothing but its recipe and its evaluations."""
    path.mkdir()
    tree = yaml.safe_load(RECIPE.format(steps=9, run=path)) | recipe
    (path / "recipe.yaml").write_text(yaml.safe_dump(tree))
    (path / "metrics.jsonl").touch()
    (path / "evals.jsonl").write_text("".join(json.dumps(e) + "\n" for e in evals))
    return path


def card_of(run: Path, **more: Any) -> str:
    facts = read_facts(open_run(run))
    given: dict[str, Any] = {"name": "m", "step": 9, "dtype": "float32", "example": "1?\n"}
    given |= {"chat": False, "eos": "<|end|> (0)", "notes": []}
    return card(facts, parse_recipe(facts.recipe, "test"), Released(**(given | more)))


def read(text: str) -> Any:
    return ModelCard(text).data


def prose(text: str) -> str:
    """Without front matter and code blocks."""
    body = text.split("---\n", 2)[2]
    return re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", body)


def test_the_real_card(released: Path):
    text = (released / "README.md").read_text()
    data = read(text)
    assert data.library_name == "transformers"
    assert data.pipeline_tag == "text-generation"
    found = {(e.dataset_config, e.metric_type): e for e in data.eval_results}
    assert set(found) == {(d, m) for d in ("math", "code") for m in ("pass@1", "pass@4")}
    low, high = found["math", "pass@1"].metric_args["interval_95"]
    assert low <= found["math", "pass@1"].metric_value <= high
    assert f"{low:.1%} to {high:.1%}" in text
    assert (released / "recipe.yaml").read_text().rstrip() in text
    assert "licence: not stated" in text
    assert f"{os.cpu_count()} cores. Versions of the training: python" in text


def test_a_run_without_evaluations_and_without_steps(tmp_path: Path):
    text = card_of(folder(tmp_path / "run"))
    assert read(text).eval_results is None
    assert "None: the run has no evaluation on record." in text
    assert "Problems that training asked: not recorded. Held-out problems: not recorded." in text
    assert "Training time: not recorded" in text


def test_results_are_those_of_these_weights_alone(tmp_path: Path):
    evals = [eval_line("base", 0, 0.2, 0.3, 12), eval_line("stage1", 5, 0.4, 0.3, 12)]
    run = folder(tmp_path / "run", evals)
    text = card_of(run)
    assert read(text).eval_results is None
    assert "No evaluation is of these very weights." in text
    assert "| stage1 | 5 |" in text
    data = read(card_of(run, step=5))
    assert {e.metric_value for e in data.eval_results if e.metric_type == "pass@1"} == {0.4, 0.3}
    assert read(card_of(run, step=None)).eval_results is None


@pytest.mark.parametrize(
    ("model", "base"),
    [("Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-1.5B"), ("nano", None), ("./a/b", None), ("/a/b", None)],
)
def test_the_base_is_named_where_it_is_the_hubs(tmp_path: Path, model: str, base: str | None):
    source = {"path": "openai/gsm8k:main:train", "domain": "math"}
    run = folder(tmp_path / "run", model=model, data={"train": [source]}, curriculum="math-only")
    data = read(card_of(run))
    assert data.base_model == base
    assert data.datasets == ["openai/gsm8k"]


def test_nothing_of_a_run_is_markup(tmp_path: Path):
    source = {"path": EVIL, "domain": "math"}
    line = {"point": EVIL, "step": 9, "math": {"pass@1": 0.5, EVIL: 1.0}}
    run = folder(
        tmp_path / "run",
        [line],
        model=EVIL,
        data={"train": [source], "template": EVIL + "{prompt}"},
        curriculum="math-only",
    )
    text = card_of(run, name=EVIL, example=f"```\n{EVIL}", eos=EVIL, notes=[EVIL])
    rest = prose(text)
    headings = re.findall(r"(?m)^#+ .*$", rest)
    plain = re.findall(r"(?m)^#+ .*$", prose(card_of(folder(tmp_path / "other"))))
    assert headings[1:] == plain[1:]
    for tag in ("<script", "</details", "](http://evil", "\n# `"):
        assert not re.search(rf"(?<!\\){re.escape(tag)}", rest), tag
    assert read(text).model_name == EVIL
