"""Real vLLM over two processes of its own: weights that are sent reach both."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from builders import weights_of
from srpo.rollout.vllm.engine import check_split
from srpo.rollout.vllm.process import VllmProcess
from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.types import UserError
from vllm_parts import (
    generate,
    largest_difference,
    learner_of,
    moved_model,
    nano_setup,
    needs_vllm,
    open_engine,
    pairs,
    requests,
    tokens,
)

pytestmark = needs_vllm


@pytest.fixture(scope="module")
def messages() -> list[str]:
    return []


@pytest.fixture(scope="module")
def engine(messages: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmProcess]:
    setup = nano_setup(placement="process", tensor_parallel=2)
    folder = WeightsFolder(tmp_path_factory.mktemp("run") / "weights", "float32")
    engine = VllmProcess(setup, messages.append, folder)
    yield engine
    family = psutil.Process(engine.worker.process.pid).children(recursive=True)
    workers(engine)[0].suspend()  # what is stuck ends, too
    engine.close()
    assert not folder.path.exists()
    _, left = psutil.wait_procs(family, timeout=10)
    assert not left


def workers(engine: VllmProcess) -> list[psutil.Process]:
    family = psutil.Process(engine.worker.process.pid).children(recursive=True)
    return [process for process in family if "Worker_TP" in process.name()]


def test_two_say_what_one_says(engine: VllmProcess) -> None:
    asked = requests()
    two = generate(engine, asked)
    alone = open_engine()
    try:
        one = generate(alone, asked)
    finally:
        alone.close()
    assert tokens(two) == tokens(one)
    differences = [
        abs(a - b)
        for here, there in zip(pairs(asked, two)[1], pairs(asked, one)[1], strict=True)
        for a, b in zip(here, there, strict=True)
    ]
    assert sum(differences) / len(differences) < 1e-5
    assert max(differences) < 1e-4


def test_new_weights_are_in_effect_sent_or_through_a_folder(engine: VllmProcess) -> None:
    for seed, shares in ((1, True), (2, True), (3, False), (4, True)):
        engine.shares = shares
        model = moved_model(seed)
        engine.load_weights(weights_of(model, seed))
        assert largest_difference(engine, learner_of(model)) < 1e-4
        found = generate(engine, requests())
        assert {r.policy_version for g in found.values() for r in g} == {seed}
        assert engine.shares == shares
        assert engine.folder
        assert engine.folder.path.exists() == (seed >= 3)


def test_a_worker_that_is_killed_is_a_restart(engine: VllmProcess, messages: list[str]) -> None:
    """With the weights that were sent last."""
    model = moved_model(5)
    engine.load_weights(weights_of(model, 5))
    before = tokens(generate(engine, requests()))
    workers(engine)[1].send_signal(signal.SIGKILL)
    assert tokens(generate(engine, requests())) == before
    assert "4 of 4 prompts are sampled again" in messages[-1]
    assert len(workers(engine)) == 2
    assert largest_difference(engine, learner_of(model)) < 1e-4


def test_more_parts_than_cores_are_refused() -> None:
    with pytest.raises(UserError, match=r"rollout.tensor_parallel: 4096, and this machine has"):
        check_split(nano_setup(placement="process", tensor_parallel=4096))
