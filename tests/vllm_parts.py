"""Real vLLM on the scale model, for tests; those skip where it is not installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch._dynamo.config
from transformers import AutoModelForCausalLM

from srpo.learner.local import LocalLearner
from srpo.models import eos_ids, load_model, load_tokenizer, model_path
from srpo.recipe.schema import LearnerConfig, RolloutConfig, TokenMeanConfig
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.vllm.engine import VllmEngine
from srpo.rollout.vllm.install import install_recipe, installed_vllm
from srpo.rollout.vllm.setup import VllmSetup
from srpo.types import Rollout

needs_vllm = pytest.mark.skipif(
    installed_vllm() is None, reason=f"vLLM is not installed; {install_recipe()}"
)
# vLLM compiles a small function at a process's first token, which takes longer than most tests. In
# this process it does, since torch has read this already; the others need not do it once more.
os.environ["TORCH_COMPILE_DISABLE"] = "1"
CPU = torch.device("cpu")
CONTEXT, ROWS = 160, 48
SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_new_tokens=40)

# A model of two layers and nano's vocabulary, as any transformers config takes it.
SMALL: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "initializer_range": 0.2,
    "max_position_embeddings": 512,
    "eos_token_id": 0,
    "pad_token_id": 1,
}

Answers = dict[int, list[Rollout]]


def nano_setup(folder: str | None = None, context: int = CONTEXT, **config: Any) -> VllmSetup:
    path, tokenizer = folder or model_path("nano"), load_tokenizer("nano")
    eos = eos_ids(load_model(path, "float32", CPU), tokenizer)
    section = RolloutConfig.model_validate({"engine": "vllm", "max_rows": ROWS} | config)
    return VllmSetup(path, tokenizer, eos, section, "float32", CPU, context)


def small_model(config: Any, folder: Path) -> Any:
    """One at random weights, with nano's tokenizer, as loaded from `folder`."""
    shutil.copytree(model_path("nano"), folder)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False)


def open_engine(folder: str | None = None, rows: int = ROWS) -> VllmEngine:
    return VllmEngine(nano_setup(folder, max_rows=rows))


def moved_model(seed: int, far: float = 0.02) -> Any:
    """nano, `far` away from its weights in a direction of its own; seed 0 is nano itself."""
    model: Any = load_model("nano", "float32", CPU)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters() if seed else ():
            parameter += far * torch.randn(parameter.shape, generator=random)
    return model


def learner_of(model: Any, sampling: Sampling = SAMPLING, **loss: Any) -> LocalLearner:
    config, rates = LearnerConfig(lr=1e-3, micro_batch_tokens=2048), TokenMeanConfig(**loss)
    at = sampling.temperature, sampling.top_p
    return LocalLearner(model, load_tokenizer("nano"), config, rates, *at)


def requests(
    lengths: tuple[int, ...] = (12, 30, 9, 21), n: int = 4, seed: int = 1
) -> list[Request]:
    """Questions of nano's own kind, cut or repeated to these lengths."""
    ids = load_tokenizer("nano")("Compute 12+7*3-(40-8)/4+19*2 and 85-17+6*(2+9).\n").input_ids
    return [
        Request(i, (ids * 9)[i : i + length], n, 1000 * seed + 100 * i)
        for i, length in enumerate(lengths)
    ]


def generate(engine: Any, asked: list[Request], sampling: Sampling = SAMPLING) -> Answers:
    return {request.index: rollouts for request, rollouts in engine.generate(asked, sampling)}


def tokens(answers: Answers) -> dict[int, list[list[int]]]:
    return {index: [r.token_ids.tolist() for r in answers[index]] for index in sorted(answers)}


def pairs(
    asked: list[Request], answers: Answers
) -> tuple[list[tuple[list[int], np.ndarray]], list[np.ndarray]]:
    """(prompt, response) ids of every rollout, and the engine's log-probabilities of them."""
    rows = [(r.prompt_ids, rollout) for r in asked for rollout in answers[r.index]]
    return [(p, r.token_ids) for p, r in rows], [r.logprobs for _, r in rows]


def largest_difference(engine: Any, learner: LocalLearner, sampling: Sampling = SAMPLING) -> float:
    """Between the engine's log-probabilities of what it samples and the learner's."""
    asked = requests()
    rows, theirs = pairs(asked, generate(engine, asked, sampling))
    scores = learner.score(rows)
    return float(np.abs(np.concatenate(theirs) - np.concatenate(scores)).max())
