"""The numbers are worked out by hand, or stand in the comments of the shipped recipes."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from srpo.models import outline
from srpo.recipe.library import shipped
from srpo.recipe.load import load_recipe, parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run.fit import notes, problems
from srpo.run.gpus import GPUS, Gpu, find_gpu
from srpo.run.memory import LearnerMemory, Shape, estimate, learner_memory, saved_bytes
from srpo.run.plan import OVERHEAD, Assumptions, Plan, assume, make_plan, row_flops, shape_of
from srpo.types import UserError

GB = 10**9
H100 = find_gpu("H100")
# 2 layers of 100 parameters, 10 x 4 in embedding and output layer each; a GPU of round numbers.
SMALL = Shape(
    parameters=280, layers=2, hidden=4, intermediate=8, kv_width=2, vocabulary=10,
    heads=4, kv_heads=2,
)  # fmt: skip
TOY = Gpu("toy", memory=5 * GB, flops=1000.0, bandwidth=100.0)


def recipe(**sections: Any) -> Recipe:
    tree: dict[str, Any] = {
        "model": "nano",
        "max_steps": 5,
        "data": {"train": [{"path": "nano:math", "domain": "math"}], "max_prompt_tokens": 8},
        "curriculum": "math-only",
        "rollout": {
            "group_size": 4,
            "max_new_tokens": 12,
            "engine": "vllm",
            "placement": "process",
        },
        "sampler": {"prompts_per_step": 3},
    }
    for name, section in sections.items():
        tree[name] = tree.get(name, {}) | section
    return parse_recipe(tree, "r")


def paper(**changes: Any) -> tuple[Plan, Assumptions]:
    """Qwen2.5-32B on 32 + 32 H100, its responses of 10,000 tokens after no prompt to speak of."""
    resolved = load_recipe("srpo-qwen2.5-32b")
    assumed = replace(assume(resolved, H100, 10_000, 0), **changes)
    return make_plan(resolved, shape_of(resolved.model), assumed), assumed


# --- Qwen2.5-32B on paper


def test_the_shape_of_the_paper_s_model():
    shape = shape_of("Qwen/Qwen2.5-32B")
    assert shape.parameters == 32_763_876_352
    # By hand: queries and output 5120 x 5120 (and a bias), keys and values 5120 x 1024 (likewise),
    # three matrices 5120 x 27648, two norms; 80 values of the last norm are shared out to layers.
    layer = 2 * 5120**2 + 5120 + 2 * (5120 * 1024 + 1024) + 3 * 5120 * 27648 + 2 * 5120
    assert shape.layer_parameters == layer + 5120 // 64
    assert shape.head_parameters == 152_064 * 5120
    assert round(2 * shape.layer_parameters / GB, 2) == 0.98
    assert round(4 * shape.layer_parameters / GB, 2) == 1.95
    assert round(4 * shape.head_parameters / GB, 1) == 3.1
    assert shape.kv_bytes("bfloat16") == 262_144


def test_the_bytes_of_the_paper_s_model():
    plan, _ = paper()
    memory = plan.memory
    assert round(plan.sync / GB, 1) == 65.5
    assert round(32 * (memory.kept + memory.gradients) / GB) == 524
    assert round((memory.kept + memory.gradients) / GB, 1) == 16.4
    inputs = 32_768 * 64 * 5120 * 2
    assert round(inputs / GB, 1) == 21.5
    assert round((memory.activations - inputs) / GB) == 10
    assert (2**24 // plan.shape.vocabulary, 2**28 // plan.shape.vocabulary) == (110, 1765)
    assert round(plan.checkpoint / GB) == 393
    assert plan.engine.kv_tokens == pytest.approx(859_000, rel=0.005)
    assert round(plan.rollouts / GB, 2) == 0.66
    one = sys.getsizeof(2**20) + sys.getsizeof(0.5) + 2 * 8  # an int, a float, their list's places
    assert round(one * plan.tokens / GB, 1) == 5.6


def test_the_seconds_of_the_paper_s_model():
    slow, fast = paper()[0], paper(bandwidth_share=0.6, informative=0.5)[0]
    assert slow.rollout_s == pytest.approx(2600, rel=0.02)
    assert fast.rollout_s == pytest.approx(2100, rel=0.03)
    assert slow.learn_s == pytest.approx(1870, rel=0.01)
    assert fast.learn_s == pytest.approx(930, rel=0.01)
    assert slow.step_s == slow.rollout_s  # one step ahead hides the smaller of the two
    for plan, known in ((slow, 2200), (fast, 1500)):  # colocated on twice as many of each
        assert (plan.rollout_s + plan.learn_s) / 2 == pytest.approx(known, rel=0.03)


# --- a model small enough for a person


def test_a_rank_s_memory_by_hand():
    # A layer has (280 - 2 x 40) / 2 = 100 parameters and keeps 8 x 4 + 2 x 2 + 4 x 8 = 68 values of
    # a token. A row is 8 + 12 tokens, a micro-batch 40.
    learner = {"ranks": 4, "dtype": "bfloat16", "micro_batch_tokens": 40, "logit_chunk": 50}
    found = learner_memory(recipe(learner=learner), SMALL, 8)
    assert found == LearnerMemory(
        weights=280,
        moments=560,
        reference=0,
        gradients=280,
        unsharded=2 * (2 * 100 + 40) + 4 * (100 + 40),
        activations=40 * 2 * 68 * 2,
        logits=3 * 4 * 50,
    )
    checkpointed = learner | {"gradient_checkpointing": True}
    again = learner_memory(recipe(learner=checkpointed, loss={"kl_coef": 0.1}), SMALL, 8)
    assert again.activations == 40 * (2 * 4 * 2 + 68 * 2)
    assert again.reference == 280


def test_adapters_by_hand():
    # Queries and output 2 x (4 + 4), keys and values 2 x (4 + 2), the three of the MLP 3 x (4 + 8):
    # 64 a layer and rank.
    lora = {"lora": {"rank": 3}, "dtype": "bfloat16"}
    found, trained = learner_memory(recipe(learner=lora), SMALL, 8), 2 * 3 * 64
    assert found.weights == 2 * 280 + 4 * trained
    assert (found.moments, found.gradients) == (8 * trained, 4 * trained)
    assert saved_bytes(recipe(learner=lora), SMALL) == 12 * trained
    some = {"lora": {"rank": 3, "targets": ["q_proj", "v_proj"]}}
    assert saved_bytes(recipe(learner=some), SMALL) == 12 * (2 * 3 * (8 + 6))
    assert learner_memory(recipe(learner=lora, loss={"kl_coef": 0.1}), SMALL, 8).reference == 0


def test_moments_in_eight_bits_and_on_the_host():
    eight = recipe(learner={"optimizer": "adamw8bit"})
    assert learner_memory(eight, SMALL, 8).moments == round(280 * 2 * 260 / 256)
    assert saved_bytes(eight, SMALL) == 4 * 280 + round(280 * 2 * 260 / 256)
    plan = make_plan(recipe(learner={"offload": True}), SMALL, Assumptions(TOY, 6, 2))
    assert (plan.memory.moments, plan.host) == (0, 8 * 280)


def test_an_engine_that_sleeps_leaves_its_memory_to_the_learner():
    one = estimate(recipe(), SMALL, 8, gpu=True)
    waking = recipe(rollout={"engine": "transformers", "placement": "colocated"})
    awake = estimate(waking, SMALL, 8, gpu=True)
    assert one.decoding_copy == awake.decoding_copy == 4 * 280
    assert awake.learning - one.learning == 4 * 280
    apart = estimate(recipe(rollout={"ahead": 1}), SMALL, 8, gpu=True)
    assert (apart.decoding_copy, apart.kv_cache) == (0, 0)


def test_an_engine_by_hand():
    # 2 x 2 layers x 2 x 2 bytes = 16 bytes of KV a token, 8 on each of two GPUs, which have a head
    # each; on four GPUs each has still one. The toy gives 0.8 of 5 GB, of which 4 are reserved.
    learner, rollout = {"dtype": "bfloat16"}, {"tensor_parallel": 2, "gpu_memory_utilization": 0.9}
    plan = make_plan(recipe(learner=learner, rollout=rollout), SMALL, Assumptions(TOY, 6, 2))
    assert plan.engine.weights == 280
    assert plan.engine.kv_bytes == 8
    assert plan.engine.kv_tokens == (4_500_000_000 - 4_000_000_000 - 280) // 8
    assert plan.engine.rows == 12  # no more are asked for
    assert SMALL.kv_bytes_a_gpu("bfloat16", 4) == 8
    # A token reads 280 bytes and 12 rows of 2 + 6 / 2 tokens of 8, at 50 bytes a second: 15.2 s.
    # It computes 2 x 280 x 12 / 2 operations at 400 a second: 8.4 s. 12 rows a token, 2 GPUs.
    assert plan.engine.decode_tokens_per_s == pytest.approx(12 / 15.2 / 2)
    # 72 tokens at 12 in 15.2 s; but no response of 12 tokens is there before 12 x 280 / 50 s.
    assert plan.rollout_s == pytest.approx(72 / 12 * 15.2)
    assert (plan.learner_gpus, plan.engine_gpus, plan.gpus, plan.shared) == (1, 2, 3, False)
    one = recipe(
        learner=learner, rollout=rollout | {"group_size": 2}, sampler={"prompts_per_step": 1}
    )
    assert make_plan(one, SMALL, Assumptions(TOY, 1, 0)).rollout_s == pytest.approx(12 * 280 / 50)


def test_a_step_by_hand():
    # A row of 8 tokens: 6 x 280 x 8 for the weights, and 3 times 2 x 2 x 4 x 64 for attention.
    flops = 6 * 280 * 8 + 3 * 1024
    assumed = Assumptions(TOY, 6, 2, informative=0.5, decode_tokens_per_s=2.0)
    apart = recipe(learner={"ranks": 2}, rollout={"engines": 3, "ahead": 1})
    plan = make_plan(apart, SMALL, assumed)
    assert row_flops(apart, SMALL, 8) == flops
    assert plan.learn_s == pytest.approx(6 * flops / (2 * 1000 * 0.4))
    assert plan.rollout_s == 72 / (3 * 2.0)
    assert plan.step_s == max(plan.learn_s, plan.rollout_s)
    assert plan.run_s == 5 * plan.step_s
    assert (plan.tokens, plan.learnt_tokens, plan.rollouts) == (72, 48, 8 * 72)
    after = make_plan(recipe(learner={"ranks": 2}, rollout={"engines": 3}), SMALL, assumed)
    assert after.step_s == after.learn_s + after.rollout_s
    assert any("rollout.ahead=1" in n for n in notes(after))


@pytest.mark.parametrize(
    ("sections", "passes"),
    [
        ({"learner": {"gradient_checkpointing": True}}, (4, 4)),
        ({"learner": {"updates_per_step": 2}}, (4, 4)),
        ({"loss": {"kl_coef": 0.1}}, (4, 4)),
        ({"learner": {"lora": {"rank": 2}}}, (2, 3)),
    ],
)
def test_what_more_passes_cost(sections: dict[str, Any], passes: tuple[int, int]):
    weights, attention = passes
    assert row_flops(recipe(**sections), SMALL, 8) == weights * 2 * 280 * 8 + attention * 1024


# --- what does not fit


def said(resolved: Recipe, gpu: Gpu = H100, config: Path | None = None) -> str:
    plan = make_plan(resolved, shape_of(resolved.model, config), assume(resolved, gpu, None, None))
    return "\n".join(problems(plan))


@pytest.mark.parametrize(
    "large",
    [
        ["learner.ranks=1"],
        ["learner.gradient_checkpointing=false", "learner.ranks=2"],
        ["learner.micro_batch_tokens=200000"],
    ],
)
def test_every_fix_that_is_named_fits(large: list[str]):
    text = said(load_recipe("qwen2.5-7b-8gpu", large))
    assert text.startswith("learner: ")
    fixes = re.findall(r"learner\.\w+=\w+", text)
    assert fixes
    for fix in [fixes] if text.endswith("together") else [[fix] for fix in fixes]:
        assert said(load_recipe("qwen2.5-7b-8gpu", large + fix)) == "", fix


def test_changes_that_only_do_together():
    large = ["learner.gradient_checkpointing=false", "learner.ranks=1"]
    text = said(load_recipe("qwen2.5-7b-8gpu", large))
    assert "set learner.gradient_checkpointing=true, " in text
    assert text.endswith("learner.ranks=2 together")


def test_an_engine_that_is_too_large_is_split():
    large = ["rollout.tensor_parallel=1", "rollout.gpu_memory_utilization=0.5"]
    text = said(load_recipe("srpo-qwen2.5-32b", large))
    assert "set rollout.tensor_parallel=2, or rollout.gpu_memory_utilization=0.9" in text
    for fix in ("rollout.tensor_parallel=2", "rollout.gpu_memory_utilization=0.9"):
        assert said(load_recipe("srpo-qwen2.5-32b", [*large, fix])) == ""
    assert "does not divide the model's 40" in said(
        load_recipe("srpo-qwen2.5-32b", ["rollout.tensor_parallel=3"])
    )


def test_what_the_learner_keeps_limits_the_engine():
    both = ["rollout.gpu_memory_utilization=0.9", "learner.lora={rank: 8}"]
    text = said(load_recipe("qwen2.5-7b", both))
    [share] = re.findall(r"gpu_memory_utilization=([\d.]+) at most", text)
    fixed = [f"rollout.gpu_memory_utilization={share}", both[1]]
    assert said(load_recipe("qwen2.5-7b", fixed)) == ""


def test_a_gpu_goes_by_the_beginning_of_its_name():
    assert [find_gpu(g.name.split()[0].lower()) for g in GPUS] == list(GPUS)
    with pytest.raises(UserError, match="'TPU' is not known here; give one of 'A100 80GB', "):
        find_gpu("TPU")


def test_shapes():
    folder = resources.files("srpo.recipe") / "shapes"
    known = {"Qwen2.5-1.5B": 1_543_714_304, "Qwen2.5-7B": 7_615_616_512}
    for name, parameters in known.items():
        assert outline(str(folder / name))[1] == parameters
    assert shape_of("Qwen/Qwen2.5-1.5B").tied
    models = [load_recipe(name).model for name in shipped() if name not in ("nano", "gsm8k")]
    assert all(shape_of(model).parameters > 10**9 for model in models)  # without a network


def test_a_config_of_one_s_own(tmp_path: Path):
    config = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 10}
    config |= {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 12}
    (tmp_path / "config.json").write_text(json.dumps(config))
    # Two matrices of 10 x 8; a layer has 2 x 8 x 8, 2 x 8 x 4, 3 x 8 x 12 and 2 x 8; a norm of 8.
    for path in (tmp_path, tmp_path / "config.json"):
        assert shape_of("some/where", path).parameters == 160 + 2 * (128 + 64 + 288 + 16) + 8
    with pytest.raises(UserError, match=r"--model-config: .* is no config\.json"):
        shape_of("some/where", tmp_path / "other.json")


# --- the shipped recipes


@pytest.mark.parametrize(
    ("name", "response"), [("qwen2.5-7b-8gpu", 3000), ("srpo-qwen2.5-32b", 10_000)]
)
def test_the_figures_in_the_comments_of_the_recipes(name: str, response: int):
    resolved = load_recipe(name)
    plan = make_plan(resolved, shape_of(resolved.model), assume(resolved, H100, response, None))
    half = make_plan(resolved, plan.shape, replace(plan.assumed, informative=0.5))
    memory, engine, shape = plan.memory, plan.engine, plan.shape
    inputs = resolved.learner.micro_batch_tokens * shape.layers * shape.hidden * 2
    room = engine.budget - engine.weights - engine.reserve
    gigabytes = [
        *(memory.weights, memory.moments, memory.gradients, memory.unsharded),
        *(inputs, memory.activations - inputs, memory.logits, OVERHEAD),
        *(memory.learning + OVERHEAD, engine.budget, engine.weights, engine.reserve, room),
    ]
    expected = [f"{count / GB:.1f}" for count in gigabytes]
    counts = (engine.kv_tokens, plan.rollout_s, plan.learn_s, half.learn_s)
    expected += [f"{count:,.0f}" for count in counts]
    expected += [f"{count / GB:.1f}" for count in (plan.sync, plan.checkpoint)]
    text = shipped()[name].read_text(encoding="utf-8").partition("\nmodel:")[0]
    assert re.findall(r"^#  .*?  +([\d,.]+)$", text, re.MULTILINE) == expected
    facts = [
        f"{H100.memory / GB:.1f} in all",
        f"{shape.parameters:,} parameters",
        f"{engine.kv_bytes * resolved.rollout.tensor_parallel:,} bytes of KV",
        f"{shape.layer_values:,} values",
        f"responses of {response:,} tokens",
    ]
    for fact in facts:
        assert fact in text
    assert problems(plan) == []


@pytest.mark.parametrize(
    ("name", "gpu", "response"),
    [("qwen2.5-7b-80gb", "H100", 1000), ("qwen2.5-1.5b-lora", "L4", 800)],
)
def test_the_figures_of_the_recipes_for_one_gpu(name: str, gpu: str, response: int):
    """Summands that the recipe's comment puts into one line are one here, too."""
    resolved = load_recipe(name)
    assumed = assume(resolved, find_gpu(gpu), response, None)
    plan = make_plan(resolved, shape_of(resolved.model), assumed)
    memory, engine = plan.memory, plan.engine
    small = memory.moments + memory.gradients
    counts = [memory.weights, small, memory.activations, memory.logits, OVERHEAD]
    counts += [memory.learning + OVERHEAD, engine.budget, engine.weights, engine.reserve]
    counts += [engine.budget - engine.weights - engine.reserve]
    counts += [8 * plan.shape.parameters] if resolved.learner.offload else []
    text = shipped()[name].read_text(encoding="utf-8").partition("\nmodel:")[0]
    expected = [f"{count / GB:.1f}" for count in (*counts, plan.checkpoint)]
    assert re.findall(r"^#  .*?  +([\d,.]+)$", text, re.MULTILINE) == expected
    assert f"{find_gpu(gpu).memory / GB:.1f} in all" in text
    assert problems(plan) == []
