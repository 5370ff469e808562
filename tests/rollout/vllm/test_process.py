"""Real vLLM in a process of its own. That it may die in a run: test_vllm_training."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from builders import weights_of
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.vllm.process import VllmProcess
from srpo.types import UserError
from vllm_parts import (
    CONTEXT,
    SAMPLING,
    generate,
    largest_difference,
    learner_of,
    moved_model,
    nano_setup,
    needs_vllm,
    requests,
    tokens,
)

pytestmark = needs_vllm


@pytest.fixture(scope="module")
def messages() -> list[str]:
    return []


@pytest.fixture(scope="module")
def started(messages: list[str]) -> Iterator[VllmProcess]:
    engine = open_process(messages)
    yield engine
    engine.close()
    assert engine.worker.process.poll() is not None


@pytest.fixture
def engine(started: VllmProcess) -> VllmProcess:
    """With nano's own weights, whatever the test before it did."""
    started.shares = True
    started.load_weights(weights_of(moved_model(0), 0))
    return started


def open_process(messages: list[str]) -> VllmProcess:
    return VllmProcess(nano_setup(placement="process"), messages.append)


def kill(engine: VllmProcess) -> None:
    engine.worker.process.send_signal(signal.SIGKILL)


def test_new_weights_are_in_effect(engine: VllmProcess) -> None:
    assert largest_difference(engine, learner_of(moved_model(0))) < 1e-4
    for seed in (1, 2):
        model = moved_model(seed)
        engine.load_weights(weights_of(model, seed))
        assert largest_difference(engine, learner_of(model)) < 1e-4
        found = generate(engine, requests())
        assert {r.policy_version for g in found.values() for r in g} == {seed}
    assert engine.shares


def test_weights_that_cannot_be_shared_are_copied(engine: VllmProcess, messages: list[str]) -> None:
    """The process may open no more files, and shared memory is one."""
    process = psutil.Process(engine.worker.process.pid)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), process.num_fds()))
    model = moved_model(3)
    engine.load_weights(weights_of(model, 3))
    assert "vLLM failed" in messages[-1]
    assert "with the new weights" in messages[-1]
    assert not engine.shares
    assert largest_difference(engine, learner_of(model)) < 1e-4
    engine.load_weights(weights_of(moved_model(4), 4))
    assert largest_difference(engine, learner_of(moved_model(4))) < 1e-4


def test_a_caller_may_stop_early(engine: VllmProcess) -> None:
    undisturbed = tokens(generate(engine, requests()))
    for taken in (1, len(undisturbed)):
        stream = engine.generate(requests(), SAMPLING)
        for _ in range(taken):
            next(stream)
        del stream
        assert tokens(generate(engine, requests())) == undisturbed
    assert generate(engine, []) == {}


def test_groups_are_handed_out_before_the_others_end(engine: VllmProcess) -> None:
    short, long = requests((9, 20), n=1)
    groups = engine.generate([short, Request(1, long.prompt_ids, 400, 5)], SAMPLING)
    start = time.perf_counter()
    assert next(groups)[0].index == 0
    first = time.perf_counter() - start
    assert [r.index for r, _ in groups] == [1]
    assert time.perf_counter() - start > 2 * first


def test_what_does_not_fit_is_refused_and_the_process_lives(engine: VllmProcess) -> None:
    process = engine.worker.process
    with pytest.raises(UserError, match=r"prompt of 130 .* than the 160 .*; use at most 30"):
        generate(engine, requests((4, 130)), Sampling(1.0, 1.0, CONTEXT - 129))
    assert len(generate(engine, requests())) == 4
    assert engine.worker.process is process


def test_ctrl_c_and_a_polite_end_are_the_learners_to_handle(engine: VllmProcess) -> None:
    process = engine.worker.process
    for number in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    assert len(generate(engine, requests())) == 4
    assert engine.worker.process is process


def test_a_process_that_does_not_start_says_why() -> None:
    before = psutil.Process().children()
    setup = replace(nano_setup(placement="process"), model="./nowhere")
    with pytest.raises(UserError, match=r"placement .process.: vLLM did not start: .*nowhere"):
        VllmProcess(setup)
    assert psutil.Process().children() == before


def test_nothing_outlives_a_learner_that_is_killed() -> None:
    """Not even while it starts and listens to nobody."""
    code = (
        "import time; from srpo.rollout.vllm.process import Worker\n"
        "worker = Worker(); worker.connection.send(('start',))\n"
        "print(worker.process.pid, flush=True); time.sleep(300)"
    )
    learner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert learner.stdout is not None
    child = psutil.Process(int(learner.stdout.readline()))
    time.sleep(random.uniform(0.0, 2.0))
    assert child.is_running()
    os.kill(learner.pid, signal.SIGKILL)
    learner.wait()
    child.wait(timeout=30)
