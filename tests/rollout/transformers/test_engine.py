"""The engine samples what the model says, whatever shares the batch, and streams groups."""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch

from builders import VOCABULARY, nano_tokenizer, tiny_model, weights_of
from srpo.models import eos_ids
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.stops import response_text
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.transfer import free_address, send
from srpo.types import FinishReason, Rollout
from srpo.weights import WeightSource

SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_new_tokens=40)


def eager_to_stop() -> Any:
    """A tiny model that ends about one response in twenty-five at every token."""
    model = tiny_model(seed=1, tied=False)
    eos = nano_tokenizer().eos_token_id
    with torch.no_grad():  # a direction that every final hidden state shares, through the norm
        model.lm_head.weight *= 0.3
        bias = torch.zeros(VOCABULARY)
        bias[eos] = 2.2
        model.lm_head.bias = torch.nn.Parameter(bias)
    return model


def make_engine(max_rows: int = 64, model: Any = None) -> TransformersEngine:
    return TransformersEngine(model or eager_to_stop(), nano_tokenizer(), max_rows)


def requests(lengths: tuple[int, ...] = (5, 9, 5, 2), n: int = 4) -> list[Request]:
    random = torch.Generator().manual_seed(7)
    return [
        Request(i, torch.randint(2, VOCABULARY, (length,), generator=random).tolist(), n, 100 + i)
        for i, length in enumerate(lengths)
    ]


Answers = dict[int, list[Rollout]]


def generate(
    engine: TransformersEngine, asked: list[Request], sampling: Sampling = SAMPLING
) -> Answers:
    return {request.index: rollouts for request, rollouts in engine.generate(asked, sampling)}


def tokens(answers: Answers) -> dict[int, list[list[int]]]:
    return {index: [r.token_ids.tolist() for r in answers[index]] for index in sorted(answers)}


@pytest.fixture(scope="module")
def answers() -> Answers:
    return generate(make_engine(), requests())


def test_it_stops_at_the_end_token_or_at_the_limit(answers: Answers) -> None:
    eos = nano_tokenizer().eos_token_id
    reasons = set()
    for rollout in (r for group in answers.values() for r in group):
        reasons.add(rollout.finish_reason)
        assert eos not in rollout.token_ids[:-1]
        assert len(rollout.token_ids) == len(rollout.logprobs)
        stopped = rollout.finish_reason is FinishReason.STOP
        assert (rollout.token_ids[-1] == eos) == stopped, "the end token is part of the response"
        assert stopped or len(rollout.token_ids) == 40
        assert len(rollout.token_ids) <= 40
        body = rollout.token_ids[:-1] if stopped else rollout.token_ids
        assert rollout.text == nano_tokenizer().decode(body, skip_special_tokens=True)
    assert reasons == {FinishReason.STOP, FinishReason.LENGTH}, "the test sees both ends"


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_logprobs_equal_those_of_a_full_forward(temperature: float) -> None:
    engine = make_engine()
    found = generate(engine, requests(), Sampling(temperature, 1.0, 40))
    for request in requests():
        for rollout in found[request.index]:
            ids = torch.tensor([request.prompt_ids + rollout.token_ids.tolist()])
            with torch.no_grad():
                logits = engine.model(input_ids=ids).logits[0, len(request.prompt_ids) - 1 : -1]
            whole = torch.log_softmax(logits / temperature, -1)
            expected = whole[range(len(rollout.token_ids)), rollout.token_ids]
            assert torch.allclose(torch.tensor(rollout.logprobs), expected, atol=1e-5)


def test_tokens_do_not_depend_on_what_shares_the_batch(answers: Answers) -> None:
    alone = {r.index: generate(make_engine(), [r])[r.index] for r in requests()}
    assert tokens(alone) == tokens(answers)
    for index, group in alone.items():
        for one, other in zip(group, answers[index], strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)


@pytest.mark.parametrize("max_rows", [1, 4, 9, 16, 1000])
def test_tokens_do_not_depend_on_the_batch_limit(answers: Answers, max_rows: int) -> None:
    assert tokens(generate(make_engine(max_rows), requests())) == tokens(answers)


@pytest.mark.parametrize("max_rows", [4, 8, 1000])
def test_the_longest_are_begun_first_and_tokens_do_not_depend_on_it(
    answers: Answers, max_rows: int
) -> None:
    expected = dict(zip((r.index for r in requests()), (3.0, 90.0, 50.0, 8.0), strict=True))
    asked = [replace(r, expected=expected[r.index]) for r in requests()]
    waves = list(make_engine(max_rows)._waves(asked))
    begun = [expected[r.index] for wave in waves for r in wave]
    if max_rows == 4:
        assert begun == sorted(begun, reverse=True)
    if max_rows == 8:
        assert [{expected[r.index] for r in wave} for wave in waves] == [{90.0, 50.0}, {8.0, 3.0}]
    for wave in waves:
        assert wave == sorted(wave, key=lambda r: len(r.prompt_ids)), "as without expectations"
    assert tokens(generate(make_engine(max_rows), asked)) == tokens(answers)


def test_tokens_do_not_depend_on_the_order(answers: Answers) -> None:
    assert tokens(generate(make_engine(), requests()[::-1])) == tokens(answers)


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_compaction_changes_nothing(
    answers: Answers, at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srpo.rollout.transformers.engine.COMPACT_AT", at)
    engine, rows = make_engine(), []
    engine.model.register_forward_hook(lambda _m, _i, out: rows.append(out.logits.shape[0]))
    assert tokens(generate(engine, requests())) == tokens(answers)
    if at == 0.0:
        assert set(rows[1:]) == {16}, "never"
    else:
        lengths = [len(r.token_ids) for group in answers.values() for r in group]
        live = [sum(n > t + 1 for n in lengths) for t in range(max(lengths) - 1)]
        assert rows[1:] == live, "no finished row is ever computed"


def test_long_responses_outgrow_the_room_of_the_cache() -> None:
    engine = make_engine(model=tiny_model(seed=2))
    found = generate(engine, requests(n=2), Sampling(1.0, 1.0, 100))
    longest = max((r for g in found.values() for r in g), key=lambda r: len(r.token_ids))
    assert len(longest.token_ids) == 100
    request = next(r for r in requests() if longest in found[r.index])
    ids = torch.tensor([request.prompt_ids + longest.token_ids.tolist()])
    with torch.no_grad():
        logits = engine.model(input_ids=ids).logits[0, len(request.prompt_ids) - 1 : -1]
    expected = torch.log_softmax(logits, -1)[range(100), longest.token_ids]
    assert torch.allclose(torch.tensor(longest.logprobs), expected, atol=1e-5)


def test_seeds_fix_the_responses_and_tell_them_apart(answers: Answers) -> None:
    assert tokens(generate(make_engine(), requests())) == tokens(answers)
    others = [Request(r.index, r.prompt_ids, r.n, r.seed + 1000) for r in requests()]
    assert tokens(generate(make_engine(), others)) != tokens(answers)
    ids = [tuple(r.token_ids.tolist()) for r in answers[0]]
    assert len(set(ids)) > 1, "the members of a group differ"


def test_groups_are_handed_out_before_the_others_end() -> None:
    engine, calls = make_engine(), []
    engine.model.register_forward_hook(lambda *_: calls.append(1))
    at = []
    for _, rollouts in engine.generate(requests(n=2), SAMPLING):
        at.append(len(calls))
        assert len(calls) <= 1 + max(len(r.token_ids) for r in rollouts), "at most a step late"
    assert at == sorted(at)
    assert at[0] < at[-1], "the first group did not wait for the last"


def test_a_prompt_is_prefilled_once_for_its_group() -> None:
    engine, shapes = make_engine(), []

    def note(_model: Any, _args: Any, kwargs: Any) -> None:
        shapes.append(tuple(kwargs["input_ids"].shape))

    engine.model.register_forward_pre_hook(note, with_kwargs=True)
    generate(engine, requests(n=4))
    assert shapes[0] == (4, 9), "four prompts, not sixteen rows, padded to the longest"
    assert all(width == 1 for _, width in shapes[1:])
    assert shapes[1][0] <= 16


def test_top_p_keeps_to_the_nucleus() -> None:
    engine = make_engine()
    found = generate(engine, requests(), Sampling(1.0, 0.3, 20))
    for request in requests():
        for rollout in found[request.index]:
            ids = torch.tensor([request.prompt_ids + rollout.token_ids.tolist()])
            with torch.no_grad():
                logits = engine.model(input_ids=ids).logits[0, len(request.prompt_ids) - 1 : -1]
            probabilities = torch.softmax(logits, -1)
            chosen = probabilities.gather(1, torch.tensor(rollout.token_ids).long()[:, None])
            above = (probabilities * (probabilities > chosen)).sum(-1)
            assert (above < 0.3 + 1e-5).all()


def test_new_weights_change_what_is_sampled_and_its_version(answers: Answers) -> None:
    engine, other = make_engine(model=tiny_model(1)), tiny_model(2)
    before = tokens(generate(engine, requests()))
    engine.load_weights(weights_of(other, 7))
    found = generate(engine, requests())
    assert tokens(found) != before
    assert tokens(found) == tokens(generate(make_engine(model=other), requests()))
    assert {r.policy_version for g in found.values() for r in g} == {7}
    assert {r.policy_version for g in answers.values() for r in g} == {0}


def test_loaded_weights_are_copies() -> None:
    engine, other = make_engine(model=tiny_model(1)), tiny_model(2)
    engine.load_weights(weights_of(other, 1))
    before = tokens(generate(engine, requests()))
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    assert tokens(generate(engine, requests())) == before


def test_missing_weights_are_refused() -> None:
    engine = make_engine(model=tiny_model(1))
    before = tokens(generate(engine, requests()))
    some = list(tiny_model(2).named_parameters())[:-1]
    with pytest.raises(AssertionError, match="left stale"):
        engine.load_weights(WeightSource.of(1, some))
    assert tokens(generate(engine, requests())) == before, "none is changed"
    assert engine.version == 0


def test_every_configured_end_token_ends_a_response() -> None:
    model = tiny_model()
    eos = nano_tokenizer().eos_token_id
    assert eos_ids(model, nano_tokenizer()) == {eos}
    model.generation_config.eos_token_id = [17, 23]
    assert eos_ids(model, nano_tokenizer()) == {eos, 17, 23}
    every = list(range(VOCABULARY))
    model.generation_config.eos_token_id = every
    found = generate(make_engine(model=model), requests())
    assert {len(r.token_ids) for g in found.values() for r in g} == {1}


def test_nothing_asked_nothing_answered() -> None:
    assert generate(make_engine(), []) == {}


@pytest.mark.parametrize("special", [True, False])
def test_the_tags_of_an_answer_are_read_even_as_special_tokens(special: bool) -> None:
    tokenizer = copy.deepcopy(nano_tokenizer())
    end, text = tokenizer.eos_token_id, "<think>2</think><answer>3</answer>"
    names = ["<think>", "</think>", "<answer>", "</answer>"]
    tokenizer.add_tokens(names, special_tokens=special)
    tokenizer.add_tokens(["<|mark|>"], special_tokens=True)
    ids = tokenizer(f"{text}<|mark|>").input_ids
    assert len(ids) == 7
    assert response_text(tokenizer, frozenset([end]), [*ids, end]) == text


def test_a_stop_text_ends_a_response_as_a_token_does() -> None:
    """The tokens up to it are those of before; what completed it is learnt from."""
    whole = generate(make_engine(), requests())
    texts = [r.text for g in whole.values() for r in g]
    stop = max("abcdefghijklmnopqrstuvwxyz0123456789 ", key=lambda c: sum(c in t for t in texts))
    found = generate(make_engine(), requests(), replace(SAMPLING, stop=(stop, "never said")))
    cut = 0
    for index, rollouts in whole.items():
        for before, after in zip(rollouts, found[index], strict=True):
            n = len(after.token_ids)
            assert after.token_ids.tolist() == before.token_ids[:n].tolist()
            assert after.logprobs == pytest.approx(before.logprobs[:n], abs=1e-4)
            assert stop not in after.text
            if stop in before.text:
                cut += 1
                assert after.finish_reason is FinishReason.STOP
                assert before.text.startswith(f"{after.text}{stop}")
            else:
                assert n == len(before.token_ids)
    assert cut > 3


def test_tokens_of_the_recipe_end_a_response() -> None:
    every = frozenset(range(VOCABULARY))
    engine = TransformersEngine(tiny_model(), nano_tokenizer(), 64, every)
    assert {len(r.token_ids) for g in generate(engine, requests()).values() for r in g} == {1}


def test_weights_that_are_sent_are_those_that_are_loaded() -> None:
    model, engine, address = (
        tiny_model(seed=5),
        make_engine(model=tiny_model(seed=6)),
        free_address(),
    )
    sending = threading.Thread(target=send, args=(weights_of(model, 9), address, 1, 30.0))
    sending.start()
    engine.receive_weights(address, 0, 1, 30.0)
    sending.join()
    found = generate(engine, requests())
    assert tokens(found) == tokens(generate(make_engine(model=model), requests()))
    assert {r.policy_version for group in found.values() for r in group} == {9}
