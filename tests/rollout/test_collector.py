"""Collecting: groups in the prompts' order, whatever the order of decoding and verdicts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from builders import nano_tokenizer, problems, tiny_model
from srpo.recipe.schema import RewardConfig
from srpo.rollout.collector import Collected, collect
from srpo.rollout.engine import Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import FinishReason, Outcome, Problem, Reward, Verdict
from srpo.verifiers.reward import reward

PROMPTS = [(p, list(range(2, 8 + i % 3))) for i, p in enumerate(problems(4, 1))]
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
    return reward(problem, text, verdict, RewardConfig())


@pytest.fixture(scope="module")
def engine() -> TransformersEngine:
    return TransformersEngine(tiny_model(1), nano_tokenizer(), max_rows=6)


def run(engine: TransformersEngine, judges: Judges, tokens: int = 12) -> Collected:
    with judges.pool:
        return collect(engine, PROMPTS, 3, SEEDS, Sampling(1.0, 1.0, tokens), judges, terms)


def test_the_groups_do_not_depend_on_when_verdicts_come(engine: TransformersEngine) -> None:
    found = [run(engine, Judges(r)).groups for r in (None, random.Random(1), random.Random(2))]
    assert found[0] == found[1] == found[2]
    assert [g.problem.id for g in found[0]] == [p.id for p, _ in PROMPTS]
    assert [g.prompt_ids for g in found[0]] == [ids for _, ids in PROMPTS]
    for rollout in (r for g in found[0] for r in g.rollouts):
        assert rollout.verdict == Verdict(rule(rollout.text), rollout.text[:5]), "its own verdict"


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
        def generate(self, requests: list, sampling: Sampling) -> Iterator:
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
        def generate(self, requests: list, sampling: Sampling) -> Iterator:
            for found in super().generate(requests, sampling):
                yield found
                assert judged.wait(5), "the verdict of the first group did not wait for the last"

    class Judging(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            judged.set()
            return super()._judge(text, pause)

    slow = Slow(tiny_model(1), nano_tokenizer(), max_rows=6)
    judges = Judging(None)
    with judges.pool:
        collect(
            slow, PROMPTS, 3, SEEDS, Sampling(1.0, 1.0, 4), judges, terms,
            lambda phase, done, _total: waves.append((phase, done)),
        )  # fmt: skip
    assert waves[:5] == [("rollout", i) for i in range(1, 6)]
    assert waves[-1] == ("verify", 15)


def test_a_judge_that_raises_is_not_swallowed(engine: TransformersEngine) -> None:
    class Broken(Judges):
        def _judge(self, text: str, pause: float) -> Verdict:
            raise OSError("out of processes")

    with pytest.raises(OSError, match="out of processes"):
        run(engine, Broken(None), tokens=2)
