"""The check sees weights that stayed behind, through any engine and any sampling."""

from __future__ import annotations

import pytest
import torch

from builders import nano_tokenizer, tiny_model
from srpo.errors import EngineError, StaleWeightsError
from srpo.learner.local import LocalLearner
from srpo.recipe.schema import LearnerConfig, TokenMeanConfig
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.freshness import PROMPTS, TOKENS, FreshnessCheck
from srpo.rollout.transformers.engine import TransformersEngine

PROMPT_IDS = [[5, 6, 7], [9, 8, 7, 6, 5], [40], [7] * 9, [1, 2], [3, 4]]


def learner(temperature: float = 1.0, top_p: float = 1.0) -> LocalLearner:
    rest = LearnerConfig(), TokenMeanConfig(), temperature, top_p
    return LocalLearner(tiny_model(1), nano_tokenizer(), *rest)


def make_check(
    engine: TransformersEngine, of: LocalLearner, sampling: Sampling, tolerance: float = 1e-3
) -> FreshnessCheck:
    return FreshnessCheck(engine, of.score, PROMPT_IDS, sampling, tolerance)


SAMPLING = Sampling(1.0, 1.0, 40)


def make_engine(seed: int = 1) -> TransformersEngine:
    return TransformersEngine(tiny_model(seed), nano_tokenizer(), 64)


def difference(
    of: LocalLearner, sampling: Sampling = SAMPLING, seed: int = 1, by: float = 0.0
) -> float:
    engine = make_engine(seed)
    with torch.no_grad():
        engine.model.get_parameter("model.layers.0.mlp.up_proj.weight").add_(by)
    found = make_check(engine, of, sampling).difference()
    assert found is not None
    return found


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.2, 0.7)])
def test_equal_weights_differ_by_rounding(temperature: float, top_p: float) -> None:
    sampling = Sampling(temperature, top_p, 40)
    assert difference(learner(temperature, top_p), sampling) < 1e-5
    assert difference(learner(temperature, top_p), sampling, seed=2) > 0.1


def test_another_sampling_than_the_learner_scores_with_is_seen() -> None:
    assert difference(learner(0.8), Sampling(1.0, 1.0, 40)) > 0.05
    assert difference(learner(1.0, 0.7), Sampling(1.0, 1.0, 40)) > 0.05


def test_one_layer_that_stayed_behind_is_seen() -> None:
    assert difference(learner(), by=0.01) > 1e-3


def test_above_the_tolerance_or_not_a_number_is_an_error() -> None:
    check = make_check(make_engine(), learner(), SAMPLING, 0.01)
    check.check(0.01)
    for found in (0.0101, float("inf"), float("nan")):
        with pytest.raises(StaleWeightsError, match=r"rollout\.freshness_tolerance 0\.01"):
            check.check(found)


def test_it_stays_short_and_asks_for_the_same_each_time() -> None:
    asked: list[tuple[list[Request], Sampling]] = []

    class Noting(TransformersEngine):
        def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
            asked.append((requests, sampling))
            yield from super().generate(requests, sampling)

    engine = Noting(tiny_model(1), nano_tokenizer(), 64)
    check = make_check(engine, learner(0.7, 0.9), Sampling(0.7, 0.9, 40))
    for _ in range(2):
        assert set(check.probe()) == {"mismatch/probe", "seconds/probe"}
    assert asked[0] == asked[1]
    requests, sampling = asked[0]
    assert (len(requests), sampling) == (PROMPTS, Sampling(0.7, 0.9, TOKENS))


def test_an_engine_that_samples_nothing_is_an_error() -> None:
    class Mute(TransformersEngine):
        def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
            yield from ()

    with pytest.raises(EngineError, match="sampled nothing"):
        make_check(Mute(tiny_model(1), nano_tokenizer(), 64), learner(), SAMPLING).difference()


def test_without_prompts_nothing_is_asked_or_refused() -> None:
    check = FreshnessCheck(make_engine(), learner(2.0).score, [], SAMPLING, 1e-3)
    assert check.probe() == {}
    check.check(check.difference())
