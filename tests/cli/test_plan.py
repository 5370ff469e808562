"""`srpo plan` as people meet it."""

from __future__ import annotations

import json
import random

import pytest
from typer.testing import CliRunner, Result

from srpo import cli
from srpo.recipe.load import load_recipe
from srpo.run.gpus import find_gpu
from srpo.run.plan import assume, make_plan, shape_of
from srpo.types import UserError


def plan(*args: object) -> Result:
    return CliRunner().invoke(cli.app, ["plan", *map(str, args)], catch_exceptions=True)


def test_a_plan_that_fits():
    tokens = random.randrange(2000, 8000)
    result = plan("qwen2.5-7b-8gpu", "--response-tokens", tokens)
    assert result.exit_code == 0, result.output
    assert (
        "7,615,616,512 parameters; 8 x H100 80GB: 4 for the learner, 4 for 4 engines\n"
        in result.output
    )
    assert f"{tokens * 2048:,}" in result.output
    assert f"responses of {tokens:,} tokens (--response-tokens)" in result.output
    assert "it fits, by this arithmetic; nothing was measured" in result.output


def test_what_does_not_fit_is_named_and_the_exit_code_is_1():
    result = plan("qwen2.5-7b-8gpu", "--gpu", "l4", "--set", "learner.ranks=8")
    assert result.exit_code == 1, result.output
    assert "DOES NOT FIT: learner: " in result.output
    assert "an L4 24GB has 23.6 GB" in result.output
    assert "it fits" not in result.output


def test_json_has_the_same_numbers():
    args = ("--gpu", "H200", "--informative", "0.5", "--mfu", "0.3", "--decode-tokens-per-s", "900")
    found = json.loads(plan("srpo-qwen2.5-32b", "--json", *args).output)
    recipe = load_recipe("srpo-qwen2.5-32b")
    shape = shape_of(recipe.model)
    same = make_plan(recipe, shape, assume(recipe, find_gpu("H200"), None, None))
    assert found["memory"]["learning"] == same.memory.learning
    assert found["engine"]["kv_tokens"] == same.engine.kv_tokens
    assert found["learn_s"] == pytest.approx(same.learn_s * 0.5 * 0.4 / 0.3)
    assert found["rollout_s"] == same.tokens / (900 * 32)
    assert found["problems"] == []
    assert found["recipe"]["model"] == recipe.model


def test_a_plan_in_which_nothing_can_be_sampled_is_json_too():
    small = ("srpo-qwen2.5-32b", "--gpu", "L4", "--set", "rollout.tensor_parallel=2")
    result = plan(*small, "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert (found["rollout_s"], found["run_s"]) == (None, None)
    assert len(found["problems"]) == 2
    assert "never" in plan(*small).output


def test_a_folder_without_a_config_is_one_line():
    result = plan("qwen2.5-7b", "--model-config", "no/such/file")
    assert isinstance(result.exception, UserError)
    assert "--model-config: 'no/such/file' is no config.json" in str(result.exception)


def test_nano_on_this_machine():
    result = plan("nano", "--json")
    found = json.loads(result.output)
    assert (found["shared"], found["gpus"]) == (True, 1)
    assert found["memory"]["moments"] == 8 * found["parameters"]
