"""Every shipped recipe loads, and the big one carries the paper's numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from srpo.recipe.load import load_recipe
from srpo.recipe.schema import TokenMeanConfig

RECIPES = Path(__file__).parents[2] / "src/srpo/recipe/shipped"
PAPER = RECIPES / "srpo-qwen2.5-32b.yaml"
ONE_GPU = {"qwen2.5-1.5b.yaml": 1.54, "qwen2.5-7b.yaml": 7.62}  # 10^9 parameters
SUMMAND = re.compile(r"^#.*  (\d+\.\d)$", re.MULTILINE)

# What arXiv 2504.14286 says, or follows from it (epochs drop the all-correct; no warm-up is named
# beside the constant rate). Any other number in the recipe has to be marked as our choice.
PAPERS_NUMBERS = {
    "model": "Qwen/Qwen2.5-32B",
    "rollout.group_size": 32,
    "advantage.kind": "group",
    "advantage.normalize_std": True,
    "loss.kind": "token-mean",
    "loss.kl_coef": 0.0,
    "sampler.strategy.kind": "history",
    "sampler.strategy.solved_at": 1.0,
    "sampler.strategy.recheck_share": 0.0,
    "sampler.prompts_per_step": 256,
    "curriculum.kind": "staged",
    "learner.lr": 1e-6,
    "learner.schedule": "constant",
    "learner.warmup_steps": 0,
    "learner.betas": [0.9, 0.95],
    "learner.optimizer": "adamw",
    "eval.samples": 32,
}


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {path: tree}
    return {k: v for n, t in tree.items() for k, v in leaves(t, f"{path}.{n}".strip(".")).items()}


def test_there_are_recipes():
    assert {"nano.yaml", PAPER.name} <= {p.name for p in RECIPES.glob("*.yaml")}


@pytest.mark.parametrize("path", sorted(RECIPES.glob("**/*.yaml")), ids=lambda p: p.name)
def test_recipe_loads(path: Path):
    assert load_recipe(path).max_steps > 0


@pytest.mark.parametrize("path", sorted(RECIPES.glob("**/*.yaml")), ids=lambda p: p.name)
def test_recipe_names_no_absolute_path(path: Path):
    texts = [v for v in leaves(yaml.safe_load(path.read_text())).values() if isinstance(v, str)]
    assert not [t for t in texts if t.startswith(("/", "~"))]


def test_the_papers_numbers():
    resolved = leaves(load_recipe(PAPER).model_dump(mode="json"))
    assert {name: resolved[name] for name in PAPERS_NUMBERS} == PAPERS_NUMBERS


def line_of(path: str, lines: list[str]) -> str:
    """The line of a key, found below the lines of its parents."""
    at = 0
    for depth, key in enumerate(path.split(".")):
        pattern = re.compile(rf"{'  ' * depth}{re.escape(key)}:")
        at = next(i for i in range(at, len(lines)) if pattern.match(lines[i]))
    return lines[at]


def test_what_is_not_the_papers_is_marked_as_ours():
    """And nothing of the paper is: `# our choice: why` stands on the key's own line."""
    lines = PAPER.read_text().splitlines()
    keys = leaves(yaml.safe_load(PAPER.read_text()))
    ours = {path for path in keys if re.search(r"# .*our choice: \w+", line_of(path, lines))}
    assert ours == keys.keys() - PAPERS_NUMBERS.keys()


def test_the_paper_recipe_names_every_key():
    """Nothing that shapes the run hides in a default (the silent: engine and memory only)."""
    written = leaves(yaml.safe_load(PAPER.read_text()))
    resolved = leaves(load_recipe(PAPER).model_dump(mode="json"))
    silent = {"data.system", "data.chat_template", "rollout.engine", "learner.logit_chunk"}
    silent |= {"rollout.gpu_memory_utilization", "rollout.freshness_tolerance"}  # vllm alone
    silent |= {"rollout.placement", "rollout.server_url"}  # likewise
    silent |= {"verifier.python", "verifier.conventional_imports"}
    silent |= {"rollout.stop", "rollout.stop_token_ids"}  # what the model's own tokens do not end
    assert resolved.keys() - written.keys() <= silent


@pytest.mark.parametrize("name", ONE_GPU)
def test_one_gpu_recipes_run_both_stages_beside_vllm(name: str):
    recipe = load_recipe(RECIPES / name)
    assert (recipe.rollout.engine, recipe.curriculum.kind) == ("vllm", "staged")
    assert recipe.loss == TokenMeanConfig(tis_cap=2.0)
    assert recipe.learner.gradient_checkpointing
    longest = recipe.data.max_prompt_tokens + recipe.rollout.max_new_tokens
    assert longest <= recipe.learner.micro_batch_tokens


@pytest.mark.parametrize("name", ONE_GPU)
def test_the_memory_of_one_gpu_recipes_adds_up(name: str):
    """The column of GB in the comments: the learner; what learning adds; what decoding adds."""
    text = (RECIPES / name).read_text()
    blocks = re.split(r"#   (?=while )", text[text.index("#   the learner") :])
    [kept], learning, decoding = ([float(gb) for gb in SUMMAND.findall(b)] for b in blocks)
    gradients, low = learning[0], learning[1]
    assert [kept, gradients, low] == pytest.approx([b * ONE_GPU[name] for b in (12, 4, 2)], abs=0.1)
    for *parts, total in (learning, decoding):
        assert kept + sum(parts) == pytest.approx(total, abs=0.06 * (len(parts) + 1))
