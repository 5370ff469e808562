"""Collecting: groups in the prompts' order, whatever the order of decoding and verdicts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from builders import nano_tokenizer, plain, problems, tiny_model
from srpo.domains import SHIPPED, find_domains
from srpo.recipe.schema import RewardConfig, RolloutConfig
from srpo.rollout.collector import Collected, Collector, OnPhase
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import FinishReason, Group, Outcome, Problem, Reward, TrainingError, Verdict
from srpo.verifiers.reward import RewardRule

PROBLEMS = problems(4, 1)
PROMPT_IDS = {p.id: list(range(2, 8 + i % 3)) for i, p in enumerate(PROBLEMS)}
SEEDS = [11, 12, 13, 14, 15]


def rule(text: str) -> Outcome:
    return list(Outcome)[len(text) % 3]


class Judges:
    """Threads that take their time; `late` says how a verdict's delay is drawn."""

    def __init__(self, late: random.Random | None):
        self.late, self.pool = late, ThreadPoolExecutor(8)

    def __call__(self, problem: Problem, text: str) -> Future[Verdict]:
        pause = self.late.random() * 0.02 if self.late else 0.0
        return self.pool.submit(self._judge, text, pause)

    def _judge(self, text: str, pause: float) -> Verdict:
        time.sleep(pause)
        return Verdict(rule(text), answer=text[:5])


def terms(problem: Problem, text: str, verdict: Verdict) -> Reward:
    return RewardRule(RewardConfig(), find_domains(SHIPPED))(problem, text, verdict)


@pytest.fixture(scope="module")
def engine() -> TransformersEngine:
    return TransformersEngine(tiny_model(1), nano_tokenizer(), max_rows=6)


def collector(engine: TransformersEngine, judges: Judges, **over: Any) -> Collector:
    config = RolloutConfig(group_size=3, max_new_tokens=12)
    rest: dict[str, Any] = {"config": config, "seed": 1, "max_error_share": 1.0} | over
    return Collector(engine, lambda p: PROMPT_IDS[p.id], judges, terms, **rest)


def run(
    engine: TransformersEngine, judges: Judges, on_phase: OnPhase = lambda *_: None
) -> Collected:
    with judges.pool:
        return collector(engine, judges).sample(PROBLEMS, 3, SEEDS, on_phase)


def test_the_groups_do_not_depend_on_when_verdicts_come(engine: TransformersEngine) -> None:
    found = [run(engine, Judges(r)).groups for r in (None, random.Random(1), random.Random(2))]
    first, *others = [[plain(g.rollouts) for g in groups] for groups in found]
    assert others == [first, first]
    assert [g.problem.id for g in found[0]] == [p.id for p in PROBLEMS]
    assert [g.prompt_ids for g in found[0]] == list(PROMPT_IDS.values())
    for rollout in (r for g in found[0] for r in g.rollouts):
        assert rollout.verdict == Verdict(rule(rollout.text), rollout.text[:5]), "its own verdict"


def test_requests_say_what_is_expected_of_each_problem() -> None:
    asked: list[Request] = []

    class Noting(TransformersEngine):
        def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
            asked.extend(requests)
            yield from super().generate(requests, sampling)

    judges, engine = Judges(None), Noting(tiny_model(1), nano_tokenizer(), max_rows=6)
    tokens = {p.id: 10.0 * i for i, p in enumerate(PROBLEMS[::-1])}
    known = collector(engine, judges, expected=lambda problems: [tokens[p.id] for p in problems])
    with judges.pool:
        groups = known.sample(PROBLEMS, 3, SEEDS, lambda *_: None).groups
    assert [r.expected for r in asked] == [tokens[p.id] for p in PROBLEMS]
    assert all(g.prompt_ids is r.prompt_ids for g, r in zip(groups, asked, strict=True)), "shared"
    without = run(engine, Judges(None)).groups
    assert {r.expected for r in asked[len(PROBLEMS) :]} == {0.0}
    said = [[[r.text for r in g.rollouts] for g in found] for found in (groups, without)]
    assert said[0] == said[1]


def test_an_error_of_ours_earns_no_reward_not_zero(engine: TransformersEngine) -> None:
    rollouts = [r for g in run(engine, Judges(None)).groups for r in g.rollouts]
    outcomes = {r.verdict.outcome for r in rollouts if r.verdict}
    assert outcomes == set(Outcome), "the test sees all three"
    for rollout in rollouts:
        assert rollout.verdict
        errored = rollout.verdict.outcome is Outcome.ERROR
        assert (rollout.reward is None) == errored
        if rollout.reward:
            assert rollout.reward.accuracy == (rollout.verdict.outcome is Outcome.CORRECT)


def test_what_the_engine_gave_up_is_an_error_and_is_not_judged() -> None:
    judged: list[str] = []

    class GivingUp(TransformersEngine):
        def generate(self, requests: list, sampling: Sampling) -> Finished:
            for request, rollouts in super().generate(requests, sampling):
                rollouts[1].finish_reason = FinishReason.ABORT
                rollouts[1].text = "half an ans"
                yield request, rollouts

    class Noting(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            judged.append(text)
            return Verdict(Outcome.CORRECT)

    engine = GivingUp(tiny_model(1), nano_tokenizer(), max_rows=6)
    groups = run(engine, Noting(None)).groups
    assert "half an ans" not in judged
    assert len(judged) == 10
    for group in groups:
        assert group.outcomes() == [Outcome.CORRECT, Outcome.ERROR, Outcome.CORRECT]
        assert group.rollouts[1].reward is None
        assert group.tokens == sum(len(r.token_ids) for r in group.rollouts), "paid for"


def test_verification_starts_while_others_decode(engine: TransformersEngine) -> None:
    waves: list[tuple[str, int]] = []
    judged = threading.Event()

    class Slow(TransformersEngine):
        def generate(self, requests: list, sampling: Sampling) -> Finished:
            for found in super().generate(requests, sampling):
                yield found
                assert judged.wait(5), "the verdict of the first group did not wait for the last"

    class Judging(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            judged.set()
            return super()._judge(text, pause)

    slow = Slow(tiny_model(1), nano_tokenizer(), max_rows=6)
    run(slow, Judging(None), lambda phase, done, _total: waves.append((phase, done)))
    assert waves[:5] == [("rollout", i) for i in range(1, 6)]
    assert waves[-1] == ("verify", 15)


def test_a_judge_that_raises_is_not_swallowed(engine: TransformersEngine) -> None:
    class Broken(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            raise OSError("out of processes")

    with pytest.raises(OSError, match="out of processes"):
        run(engine, Broken(None))


class Prompts:
    """Asks on until there are `wanted` groups, two at a time."""

    def __init__(self, rounds: int, wanted: int):
        self.rounds, self.wanted, self.seen = rounds, wanted, list[int]()

    def next_prompts(self, groups: Sequence[Group]) -> list[Problem]:
        self.seen.append(len(groups))
        return PROBLEMS[len(groups) : min(len(groups) + 2, self.wanted)]


@pytest.mark.parametrize(
    ("rounds", "wanted", "seen"), [(1, 5, [0]), (2, 5, [0, 2]), (4, 3, [0, 2, 3])]
)
def test_a_step_goes_on_sampling_until_it_has_enough_or_its_rounds_are_used_up(
    engine: TransformersEngine, rounds: int, wanted: int, seen: list[int]
) -> None:
    judges, prompts = Judges(None), Prompts(rounds, wanted)
    with judges.pool:
        found = collector(engine, judges).step(7, prompts)
    assert prompts.seen == seen
    expected = min(2 * rounds, wanted)
    assert [g.problem.id for g in found.groups] == [p.id for p in PROBLEMS[:expected]]
    assert all(len(g.rollouts) == 3 for g in found.groups)


def test_each_step_draws_anew_and_repeats_exactly(engine: TransformersEngine) -> None:
    judges = Judges(None)

    def texts(number: int, seed: int = 1) -> list[str]:
        found = collector(engine, judges, seed=seed).step(number, Prompts(4, 5)).groups
        return [r.text for g in found for r in g.rollouts]

    with judges.pool:
        assert texts(1) == texts(1)
        assert len({tuple(t) for t in (texts(1), texts(2), texts(1, seed=2))}) == 3


def test_too_many_errors_of_the_machinery_are_an_error(engine: TransformersEngine) -> None:
    class Failing(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            return Verdict(Outcome.ERROR if text == broken else Outcome.CORRECT, detail="no disk")

    judges = Judges(None)
    with judges.pool:
        groups = collector(engine, judges).step(1, Prompts(1, 2)).groups
    broken = groups[0].rollouts[0].text
    share = sum(r.text == broken for g in groups for r in g.rollouts) / 6
    failing = Failing(None)
    with failing.pool:
        collector(engine, failing, max_error_share=share).step(1, Prompts(1, 2))
        with pytest.raises(TrainingError, match=r"of 6 verdicts are errors .* first: no disk"):
            collector(engine, failing, max_error_share=share - 0.01).step(1, Prompts(1, 2))


def test_what_progress_raises_ends_the_collecting_and_the_decoding() -> None:
    class Enough(Exception): ...

    closed = []

    class Closing(TransformersEngine):
        def generate(self, requests: list, sampling: Sampling) -> Finished:
            try:
                yield from super().generate(requests, sampling)
            finally:
                closed.append(True)

    def stop(name: str, done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough) as caught:
        run(Closing(tiny_model(1), nano_tokenizer(), max_rows=6), Judges(None), stop)
    assert closed == [True], "before the error is dealt with"
    del caught
