"""Each point once; the same samples whatever they share a batch with; stopped at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from builders import nano_tokenizer, problems, tiny_model
from srpo.evaluation.evaluator import Evaluator, Line
from srpo.recipe.schema import EvalConfig, RolloutConfig
from srpo.rollout.collector import Collector
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import Outcome, Problem, Reward, TrainingError, Verdict

PROBLEMS = problems(5, 2)
GENERATED = 1234


class Notes:
    """What was judged, and what the evaluator said of each result."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.phases: list[tuple[str, int, int]] = []
        self.done: list[list[Line]] = []

    def judge(self, problem: Problem, text: str) -> Future[Verdict]:
        self.texts.setdefault(problem.id, []).append(text)
        verdict: Future[Verdict] = Future()
        verdict.set_result(Verdict(list(Outcome)[len(text) % 2]))
        return verdict

    def phase(self, *phase: Any) -> None:
        self.phases.append(phase)


def make(
    notes: Notes,
    of: Sequence[Problem] = PROBLEMS,
    max_rows: int = 64,
    seed: int = 3,
    judge: Any = None,
    **config: Any,
) -> Evaluator:
    engine = TransformersEngine(tiny_model(1), nano_tokenizer(), max_rows)
    collector = Collector(
        engine=engine,
        prompt_ids=lambda p: [2 + ord(c) % 250 for c in p.prompt],
        judge=judge or notes.judge,
        reward=lambda *_: Reward(0.0, 0.0, 0.0, 0.0),
        config=RolloutConfig(max_new_tokens=8, max_rows=max_rows),
        seed=seed,
        max_error_share=0.5,
        on_phase=notes.phase,
    )
    section = EvalConfig.model_validate({"samples": 4} | config)
    return Evaluator(
        list(of), "abc", section, seed, collector, lambda r: notes.done.append(list(r))
    )


def never() -> None:
    """Nobody asks to stop."""


def test_a_point_is_evaluated_if_it_is_wanted_and_then_once() -> None:
    notes = Notes()
    evaluator = make(notes, at=["base", "final"], every=4)
    for point, step in (
        ("base", 0), ("base", 0), ("step 3", 3), ("step 4", 4), ("step 4", 4), ("stage1", 5),
        ("step 6", 6), ("final", 7),
    ):  # fmt: skip
        evaluator.evaluate(point, step, GENERATED, never)
    assert [(e["point"], e["step"]) for e in evaluator.results] == [
        ("base", 0), ("step 4", 4), ("final", 7),
    ]  # fmt: skip
    assert [len(results) for results in notes.done] == [1, 2, 3]
    assert {e["generated_tokens"] for e in evaluator.results} == {GENERATED}
    assert {e["fingerprint"] for e in evaluator.results} == {"abc"}
    assert evaluator.results[0]["math"]["problems"] == 5
    assert len(notes.texts["m0"]) == 3 * 4


def test_a_run_that_is_made_longer_has_another_end() -> None:
    evaluator = make(Notes(), at=["final"], every=2)
    for point, step in (("step 2", 2), ("final", 2), ("final", 3), ("step 4", 4), ("final", 5)):
        evaluator.evaluate(point, step, GENERATED, never)
    assert [(e["point"], e["step"]) for e in evaluator.results] == [
        ("step 2", 2), ("step 3", 3), ("step 4", 4), ("final", 5),
    ]  # fmt: skip


def test_the_same_weights_are_evaluated_once() -> None:
    notes = Notes()
    evaluator = make(notes, every=2)
    for point, step in (("step 2", 2), ("stage1", 2), ("step 4", 4), ("final", 4)):
        evaluator.evaluate(point, step, 10 * step, never)
    assert len(notes.texts["m0"]) == 2 * 4
    lines = evaluator.results
    assert [(e["point"], e["step"], e["generated_tokens"]) for e in lines] == [
        ("step 2", 2, 20), ("stage1", 2, 20), ("step 4", 4, 40), ("final", 4, 40),
    ]  # fmt: skip
    assert lines[0]["math"] == lines[1]["math"]
    assert lines[2]["code"] == lines[3]["code"]


def test_samples_depend_on_the_seed_of_the_run_and_the_problem_alone() -> None:
    def texts(**change: Any) -> dict[str, list[str]]:
        notes = Notes()
        make(notes, **change).evaluate("base", 0, 0, never)
        return {name: sorted(found) for name, found in notes.texts.items()}

    all_at_once = texts()
    assert texts(max_rows=4) == all_at_once
    assert texts(of=PROBLEMS[::-1]) == all_at_once
    few = PROBLEMS[1::2]
    assert texts(of=few) == {p.id: all_at_once[p.id] for p in few}
    assert texts(seed=4) != all_at_once
    twins = [replace(PROBLEMS[0], id=name) for name in ("one", "another")]
    first, second = texts(of=twins).values()
    assert first != second, "the same prompt under another name is sampled anew"


def test_without_held_out_problems_there_is_nothing_to_do() -> None:
    evaluator = make(Notes(), of=[], every=1)
    for point, step in (("base", 0), ("step 1", 1), ("final", 1)):
        evaluator.evaluate(point, step, 0, never)
    assert evaluator.results == []


def test_it_can_be_stopped_in_the_middle_and_then_starts_over() -> None:
    class Enough(Exception): ...

    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Enough

    notes = Notes()
    evaluator = make(notes, max_rows=4)
    with pytest.raises(Enough):
        evaluator.evaluate("base", 0, 0, stop)
    assert evaluator.results == notes.done == []
    assert 0 < len(notes.texts) < len(PROBLEMS), "in the middle"
    evaluator.evaluate("base", 0, 0, never)
    undisturbed = make(Notes(), max_rows=4)
    undisturbed.evaluate("base", 0, 0, never)
    assert evaluator.results == undisturbed.results


def test_progress_is_told_as_one_phase() -> None:
    notes = Notes()
    make(notes).evaluate("base", 0, 0, never)
    assert notes.phases == [("evaluate", done, 7) for done in range(1, 8)]


def test_a_measure_of_our_own_failures_is_none() -> None:
    def failing(problem: Problem, text: str) -> Future[Verdict]:
        verdict: Future[Verdict] = Future()
        verdict.set_result(Verdict(Outcome.ERROR, detail="no sandbox"))
        return verdict

    notes = Notes()
    evaluator = make(notes, judge=failing)
    with pytest.raises(TrainingError, match=r"28 of 28 verdicts are errors.*no sandbox"):
        evaluator.evaluate("base", 0, 0, never)
    assert evaluator.results == []


def test_evaluations_have_their_own_temperature_and_length() -> None:
    longer, usual = make(Notes(), max_new_tokens=20), make(Notes())
    colder = make(Notes(), temperature=1e-6)
    for evaluator in (longer, colder, usual):
        evaluator.evaluate("final", 1, GENERATED, never)
    lengths = [e.results[0]["math"]["mean_tokens"] for e in (longer, colder, usual)]
    assert lengths[0] > 8 >= max(lengths[1:])
    texts = {tuple(t) for t in colder.collector.judge.__self__.texts.values()}  # pyright: ignore
    assert all(len(set(group)) == 1 for group in texts), "nothing is left to chance"
    assert usual.collector.sampling == replace(usual._sampling())
