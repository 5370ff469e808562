"""Real vLLM, on the CPU: it samples from the learner's weights, reproducibly, and loses nothing."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from builders import problem, weights_of
from srpo.errors import EngineError, StaleWeightsError
from srpo.learner.batch import pack
from srpo.learner.local import LocalLearner
from srpo.nucleus import in_nucleus
from srpo.recipe.schema import GroupConfig
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.freshness import FreshnessCheck
from srpo.rollout.vllm import worker
from srpo.rollout.vllm.engine import VllmEngine, check_device, import_vllm, start_vllm
from srpo.types import FinishReason, Group, Outcome, Reward, UserError, Verdict
from vllm_parts import (
    CONTEXT,
    SAMPLING,
    Answers,
    generate,
    largest_difference,
    learner_of,
    moved_model,
    needs_vllm,
    open_engine,
    pairs,
    requests,
    tokens,
)

pytestmark = needs_vllm
CLOSE = 1e-4  # log-probabilities per token, between vLLM's kernels and the learner's


@pytest.fixture(scope="module")
def started() -> Iterator[VllmEngine]:
    engine = open_engine()
    yield engine
    engine.close()


@pytest.fixture
def engine(started: VllmEngine) -> VllmEngine:
    """With nano's own weights, whatever the test before it loaded."""
    started.load_weights(weights_of(moved_model(0), 0))
    return started


def check(engine: VllmEngine, learner: LocalLearner) -> FreshnessCheck:
    prompts = [r.prompt_ids for r in requests()]
    return FreshnessCheck(engine, learner.score, prompts, SAMPLING, 0.003)


def aborting(engine: VllmEngine, monkeypatch: pytest.MonkeyPatch, tries: int) -> list[str]:
    """Let the engine abort every rollout of request 1 after some tokens, `tries` times each."""
    step, steps, aborted = engine.llm.step, Counter(), []

    def stepping() -> Any:
        found = step()
        for name in [n for n in engine.llm.output_processor.external_req_ids if n[0] == "1"]:
            steps[name] += 1
            if steps[name] == 5 and int(name[-1]) < tries:
                engine.llm.abort_request([name])
                aborted.append(name)
        return found

    monkeypatch.setattr(engine.llm, "step", stepping)
    return aborted


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.7), (1.3, 0.9)])
def test_logprobs_are_the_learners(engine: VllmEngine, temperature: float, top_p: float) -> None:
    sampling = Sampling(temperature, top_p, 40)
    assert largest_difference(engine, learner_of(moved_model(0), sampling), sampling) < CLOSE


def test_a_stop_text_ends_a_response(engine: VllmEngine) -> None:
    """The tokens up to it are those of before, and the next generation is not disturbed."""
    whole = generate(engine, requests())
    texts = [r.text for g in whole.values() for r in g]
    stop = max("0123456789=+- ", key=lambda c: sum(c in t[2:] for t in texts))
    found = generate(engine, requests(), replace(SAMPLING, stop=(stop, "never said")))
    for index, rollouts in whole.items():
        for before, after in zip(rollouts, found[index], strict=True):
            n = len(after.token_ids)
            assert after.token_ids.tolist() == before.token_ids[:n].tolist()
            assert len(after.logprobs) == n
            assert after.text == before.text.partition(stop)[0]
            assert after.finish_reason is FinishReason.STOP or stop not in before.text
    assert any(
        len(f.text) < len(w.text) for i in whole for f, w in zip(found[i], whole[i], strict=True)
    )
    assert tokens(generate(engine, requests())) == tokens(whole)


def test_sampled_frequencies_are_the_distributions(engine: VllmEngine) -> None:
    [request] = requests((20,), n=3000)
    found = generate(engine, [request], Sampling(1.4, 0.8, 1))[0]
    counts = Counter(r.token_ids[0] for r in found)
    with torch.no_grad():
        logits = moved_model(0)(input_ids=torch.tensor([request.prompt_ids])).logits[0, -1]
    p = torch.softmax(logits.double() / 1.4, -1)
    p = p * in_nucleus(p, 0.8)
    p = p / p.sum()
    assert set(counts) <= set(p.nonzero()[:, 0].tolist()), "nothing from outside the nucleus"
    for token, share in enumerate(p.tolist()):
        deviation = (share * (1 - share) / 3000) ** 0.5
        assert abs(counts[token] / 3000 - share) <= 5 * deviation


def test_new_weights_are_in_effect(engine: VllmEngine) -> None:
    model = moved_model(1)
    assert largest_difference(engine, learner_of(model)) > 0.5, "the models differ"
    engine.load_weights(weights_of(model, 7))
    found = generate(engine, requests())
    assert largest_difference(engine, learner_of(model)) < CLOSE
    assert {r.policy_version for g in found.values() for r in g} == {7}

    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert largest_difference(engine, learner_of(moved_model(1))) < CLOSE, "they are copies"


def test_a_few_steps_agree_with_transformers(engine: VllmEngine, tmp_path: Path) -> None:
    """The log-probabilities of the same tokens and the learner's gradients, step by step."""
    learner = learner_of(moved_model(0), tis_cap=2.0)
    for step in range(1, 4):
        asked = requests(seed=step)
        answers = generate(engine, asked)
        rows, by_vllm = pairs(asked, answers)
        by_transformers = learner.score(rows)
        gradients = []
        for logprobs in (by_vllm, by_transformers):
            for one, other in zip(by_vllm, logprobs, strict=True):
                assert one == pytest.approx(other, abs=CLOSE)
            batch = pack(groups(asked, answers, iter(logprobs)), GroupConfig())
            twin = learner_of(moved_model(0), tis_cap=2.0)
            learner.save(tmp_path)
            twin.load(tmp_path)
            twin.step(batch)
            gradients.append(gradient_of(twin))
        assert gradients[0].norm() > 0
        assert (gradients[0] - gradients[1]).norm() < 1e-4 * gradients[1].norm()
        learner.step(batch)
        engine.load_weights(learner.publish(step))
        assert check(engine, learner).probe()["mismatch/probe"] < 1e-5


def gradient_of(learner: LocalLearner) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in learner.model.parameters() if p.grad is not None])


def groups(asked: list[Request], answers: Answers, logprobs: Iterator[np.ndarray]) -> list[Group]:
    """Every second rollout correct; the log-probabilities replaced by those given."""
    found = []
    for request in asked:
        for i, rollout in enumerate(answers[request.index]):
            rollout.verdict = Verdict(Outcome.CORRECT if i % 2 else Outcome.INCORRECT)
            rollout.reward = Reward(i % 2, 1.0, 0.0, i % 2)
            rollout.logprobs = next(logprobs)
        found.append(Group(problem(), request.prompt_ids, answers[request.index]))
    return found


def test_the_check_catches_a_skipped_update(engine: VllmEngine) -> None:
    learner = learner_of(moved_model(0))
    fresh = check(engine, learner)
    fresh.check(fresh.difference())
    asked = requests()
    answers = generate(engine, asked)
    learner.step(pack(groups(asked, answers, iter(pairs(asked, answers)[1])), GroupConfig()))
    with pytest.raises(StaleWeightsError, match=r"rollout\.freshness_tolerance 0\.003"):
        fresh.check(fresh.difference())
    engine.load_weights(learner.publish(1))
    fresh.check(fresh.difference())


def test_the_check_catches_what_vllms_own_reload_leaves(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason for `worker.py`: if this fails, vLLM has learnt it, and the file can go."""
    monkeypatch.setattr(worker, "tied_modules", lambda _model: [])
    model = moved_model(1)
    engine.load_weights(weights_of(model, 1))
    fresh = check(engine, learner_of(model))
    with pytest.raises(StaleWeightsError):
        fresh.check(fresh.difference())


def test_seeds_fix_each_rollout_whatever_else_is_in_flight(engine: VllmEngine) -> None:
    asked = requests()
    together = tokens(generate(engine, asked))
    assert tokens(generate(engine, asked)) == together
    assert tokens(generate(engine, asked[::-1])) == together
    assert {r.index: tokens(generate(engine, [r]))[r.index] for r in asked} == together
    others = [Request(r.index, r.prompt_ids, r.n, r.seed + 17) for r in asked]
    assert tokens(generate(engine, others)) != together
    assert len({tuple(ids) for ids in together[0]}) > 1, "the members of a group differ"


def test_more_rollouts_than_rows_are_the_same(engine: VllmEngine) -> None:
    [request] = requests((20,), n=100)  # twice as many as decode side by side
    few = Request(0, request.prompt_ids, 8, request.seed)
    assert tokens(generate(engine, [request]))[0][:8] == tokens(generate(engine, [few]))[0]


def test_it_stops_at_the_end_token_or_at_the_limit(engine: VllmEngine) -> None:
    [eos] = engine.setup.eos
    found = [r for g in generate(engine, requests(), Sampling(1.0, 1.0, 12)).values() for r in g]
    for rollout in found:
        stopped = rollout.finish_reason is FinishReason.STOP
        assert eos not in rollout.token_ids[:-1]
        assert (rollout.token_ids[-1] == eos) == stopped
        assert stopped or len(rollout.token_ids) == 12
        assert len(rollout.logprobs) == len(rollout.token_ids) <= 12
        body = rollout.token_ids[:-1] if stopped else rollout.token_ids
        assert rollout.text == engine.setup.tokenizer.decode(body, skip_special_tokens=True)
    assert {r.finish_reason for r in found} == {FinishReason.STOP, FinishReason.LENGTH}


def test_groups_are_handed_out_before_the_others_end(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, steps = engine.llm.step, []
    monkeypatch.setattr(engine.llm, "step", lambda: (steps.append(1), step())[1])
    at = []
    for _, rollouts in engine.generate(requests(n=2), SAMPLING):
        at.append(len(steps))
        assert len(steps) <= 2 + max(len(r.token_ids) for r in rollouts), "no waiting for others"
    assert at[0] < at[-1]


def test_a_group_shares_its_prompt_until_the_weights_change(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, cached = engine.llm.step, []

    def stepping() -> Any:
        found = step()
        cached.extend(output.num_cached_tokens for output in found)
        return found

    monkeypatch.setattr(engine.llm, "step", stepping)
    [request] = requests((100,), n=4)
    for version in (1, 2):
        generate(engine, [request], Sampling(1.0, 1.0, 4))
        assert sorted(cached[-4:]) == [0, 96, 96, 96], "three blocks of 32, computed once"
        engine.load_weights(weights_of(moved_model(version), version))


def test_an_aborted_rollout_is_sampled_again_and_used_once(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = tokens(generate(engine, requests()))
    aborted = aborting(engine, monkeypatch, tries=1)
    answers = generate(engine, requests())
    assert len(aborted) == 4
    assert tokens(answers) == undisturbed
    assert FinishReason.ABORT not in {r.finish_reason for g in answers.values() for r in g}


def test_what_is_aborted_twice_is_an_abort_and_the_rest_goes_on(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = tokens(generate(engine, requests()))
    aborted = aborting(engine, monkeypatch, tries=2)
    answers = generate(engine, requests())
    assert len(aborted) == 8
    assert {r.finish_reason for r in answers.pop(1)} == {FinishReason.ABORT}
    assert tokens(answers) == {i: ids for i, ids in undisturbed.items() if i != 1}


def test_an_engine_that_breaks_says_so(engine: VllmEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("out of blocks\nand more")

    with monkeypatch.context() as patch:
        patch.setattr(engine.llm, "step", broken)
        with pytest.raises(EngineError, match="failed while decoding: RuntimeError: out of blocks"):
            generate(engine, requests())
    assert not engine.llm.has_unfinished_requests()


def test_a_caller_may_stop_early(engine: VllmEngine) -> None:
    undisturbed = tokens(generate(engine, requests()))
    stream = engine.generate(requests(), SAMPLING)
    next(stream)
    del stream
    assert not engine.llm.has_unfinished_requests()
    assert tokens(generate(engine, requests())) == undisturbed
    assert generate(engine, []) == {}


def test_what_does_not_fit_is_refused_before_it_is_submitted(engine: VllmEngine) -> None:
    with pytest.raises(UserError, match=r"prompt of 130 .* than the 160 .*; use at most 30"):
        generate(engine, requests((4, 130)), Sampling(1.0, 1.0, CONTEXT - 129))
    assert not engine.llm.has_unfinished_requests()
    assert len(generate(engine, requests((130,)), Sampling(1.0, 1.0, CONTEXT - 130))[0]) == 4


def test_release_is_harmless_where_nothing_can_be_released(engine: VllmEngine) -> None:
    before = tokens(generate(engine, requests()))
    engine.release()
    engine.load_weights(weights_of(moved_model(0), 1))
    assert tokens(generate(engine, requests())) == before


def test_the_learners_threads_are_its_own(started: VllmEngine) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    assert torch.get_num_threads() == threads + 1
    torch.set_num_threads(threads)


def test_a_build_for_another_device_is_refused() -> None:
    with pytest.raises(UserError, match=r"runs on 'cpu' here, and the learner on 'cuda'"):
        check_device(import_vllm(), torch.device("cuda"))


def test_vllms_own_words_are_in_the_error_when_it_does_not_start() -> None:
    with pytest.raises(UserError, match=r"did not start: .*no_such_option"):
        start_vllm(import_vllm(), {"no_such_option": 1})
    with pytest.raises(UserError, match=r"did not start: \w+: .*rollout\.gpu_memory_utilization"):
        start_vllm(import_vllm(), {"model": "./nowhere"})


def test_a_missing_vllm_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match=r"rollout\.engine: vllm .* install it with: pip install"):
        import_vllm()


def test_a_broken_vllm_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "vllm.py").write_text("raise OSError('undefined symbol: _ZN3c10')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [n for n in sys.modules if n.split(".")[0] == "vllm"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UserError, match=r"OSError: undefined symbol.*install it with"):
        import_vllm()
