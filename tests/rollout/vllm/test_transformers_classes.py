"""A family that vLLM runs by transformers' own classes, which it patches under the learner."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import Olmo2Config

from vllm_parts import SMALL, largest_difference, learner_of, needs_vllm, open_engine, small_model

pytestmark = needs_vllm


def test_the_learners_model_of_the_same_class_goes_on(tmp_path: Path) -> None:
    config = Olmo2Config(**SMALL, intermediate_size=64)
    model = small_model(config, tmp_path / "model")
    learner = learner_of(model)
    engine = open_engine(str(tmp_path / "model"))
    try:
        assert largest_difference(engine, learner) < 1e-3
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        engine.load_weights(learner.publish(1))
        assert largest_difference(engine, learner) < 1e-3
    finally:
        engine.close()
