"""The shipped weights are the base model that the card describes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from srpo.data.prompts import Prompter
from srpo.data.sources import load_problems
from srpo.domains import find_domains
from srpo.evaluation.evaluate import summarize
from srpo.models import load_model, load_tokenizer, model_path
from srpo.recipe.schema import Data, RolloutConfig, Source, VerifierConfig
from srpo.rollout.collector import Collector
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import Reward
from srpo.verifiers.pool import VerifierPool


@pytest.mark.parametrize(("domain", "most"), [("math", 0.35), ("code", 0.40)])
def test_the_base_can_do_much_more_than_it_does_at_the_first_try(domain: str, most: float) -> None:
    source = Source(path=f"nano:{domain}", domain=domain, split="heldout", limit=48)
    data = Data(train=[source], template="{prompt}\n")
    tokenizer = load_tokenizer("nano")
    domains = find_domains([domain])
    prompter = Prompter(tokenizer, data, domains)
    problems = load_problems(data.train, "problems", seed=7)
    engine = TransformersEngine(load_model("nano", "float32", torch.device("cpu")), tokenizer, 512)
    with VerifierPool(VerifierConfig(), domains.values()) as pool:
        collector = Collector(
            engine,
            prompter.ids,
            pool.submit,
            lambda *_: Reward(0.0, 0.0, 0.0, 0.0),
            RolloutConfig(max_new_tokens=112),
            seed=0,
            max_error_share=0.0,
        )
        seeds = list(range(len(problems)))
        groups = collector.sample(problems, 32, seeds, lambda *_: None).groups
    result = summarize(groups)[domain]
    assert result["errors"] == 0
    assert 0.10 <= result["pass@1"] <= most
    assert result["pass@32"] >= 0.75


def test_the_weights_are_small_enough_to_ship() -> None:
    folder = Path(model_path("nano"))
    assert sum(f.stat().st_size for f in folder.iterdir()) <= 8 * 2**20
