"""A real `vllm serve` on this machine: its weights are the learner's, or the run says why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import weights_of
from small_runs import small_recipe
from srpo.errors import EngineError
from srpo.metrics import read_metrics
from srpo.models import model_path
from srpo.observer import Observer
from srpo.rollout.engine import Sampling
from srpo.rollout.vllm.server import VllmServer, start_command
from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.run.session import train
from srpo.types import UserError
from vllm_parts import (
    CONTEXT,
    SAMPLING,
    generate,
    largest_difference,
    learner_of,
    moved_model,
    nano_setup,
    requests,
    tokens,
)
from vllm_serving import Server, free_port, kill, needs_serving, serve, wait_for

pytestmark = needs_serving


def start(log: Path) -> Server:
    """As `start_command` says."""
    _, _, _, model, *options = start_command(nano_setup()).split()
    return serve(model, options, log)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two, at the same time: the second takes the place of the first when that is killed."""
    logs = [tmp_path_factory.mktemp("server") / "log" for _ in range(2)]
    servers = [start(log) for log in logs]
    try:
        for server, log in zip(servers, logs, strict=True):
            wait_for(server, log)
        yield servers
    finally:
        for server in servers:
            kill(server)


@pytest.fixture
def server(servers: list[Server]) -> Server:
    return servers[0]


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def engine(server: Server, messages: list[str], tmp_path: Path) -> Iterator[VllmServer]:
    engine = open_server(server.url, tmp_path, messages)
    yield engine
    engine.close()


def open_server(url: str, folder: Path, messages: list[str], context: int = CONTEXT) -> VllmServer:
    setup = nano_setup(context=context, placement="server", server_url=url)
    return VllmServer(setup, WeightsFolder(folder / "w", "float32"), messages.append)


@pytest.mark.parametrize("sampling", [SAMPLING, Sampling(0.6, 0.8, 40)])
def test_new_weights_are_in_effect(engine: VllmServer, sampling: Sampling) -> None:
    assert largest_difference(engine, learner_of(moved_model(0), sampling), sampling) < 1e-4
    for seed in (1, 2):
        model = moved_model(seed)
        engine.load_weights(weights_of(model, seed))
        assert largest_difference(engine, learner_of(model, sampling), sampling) < 1e-4
        found = generate(engine, requests(), sampling)
        assert {r.policy_version for g in found.values() for r in g} == {seed}


def test_a_new_run_begins_with_its_own_weights(
    engine: VllmServer, server: Server, tmp_path: Path
) -> None:
    undisturbed = tokens(generate(engine, requests()))
    engine.load_weights(weights_of(moved_model(1), 1))
    other = open_server(server.url, tmp_path / "other", [])
    assert tokens(generate(other, requests())) == undisturbed
    with pytest.raises(EngineError, match="another run has changed the weights"):
        generate(engine, requests())
    other.close()


def test_seeds_fix_each_rollout_whatever_else_is_in_flight(engine: VllmServer) -> None:
    together = tokens(generate(engine, requests()))
    assert {r.index: tokens(generate(engine, [r]))[r.index] for r in requests()} == together
    [request] = requests((20,), n=100)
    assert len({tuple(ids) for ids in tokens(generate(engine, [request]))[0]}) > 1
    stream = engine.generate(requests(), SAMPLING)
    next(stream)
    del stream
    engine.load_weights(weights_of(moved_model(0), 1))
    assert tokens(generate(engine, requests())) == together


def test_a_restarted_server_gets_the_current_weights_again(
    engine: VllmServer, server: Server, messages: list[str]
) -> None:
    engine.load_weights(weights_of(moved_model(1), 1))
    undisturbed = tokens(generate(engine, requests()))
    server.ask("replace_weights", folder=model_path("nano"))  # what a restart leaves
    assert tokens(generate(engine, requests())) == undisturbed
    assert messages == ["the vLLM server was restarted; it gets the current weights again"]


def test_what_does_not_fit_is_refused(engine: VllmServer, server: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"prompt of 130 .* than the 160 .*; use at most 30"):
        generate(engine, requests((4, 130)), Sampling(1.0, 1.0, CONTEXT - 129))
    with pytest.raises(UserError, match=r"--max-model-len 160 is too short; start it with: VLLM_"):
        open_server(server.url, tmp_path, [], CONTEXT + 1)


def test_a_folder_that_the_server_does_not_see_is_an_error(engine: VllmServer) -> None:
    with pytest.raises(EngineError, match=r"cannot load /not/there: .*'/not/there'"):
        engine.load_folder("/not/there", 1)


def test_a_run_trains(server: Server, tmp_path: Path) -> None:
    recipe = small_recipe(
        tmp_path / "run",
        max_steps=2,
        rollout__engine="vllm",
        rollout__placement="server",
        rollout__server_url=server.url,
        rollout__max_new_tokens=32,
    )
    assert train(recipe, Observer()).finished
    for row in read_metrics(tmp_path / "run/metrics.jsonl"):
        assert row["mismatch/probe"] < 1e-5
        assert row["mismatch/max"] < 1e-4


def test_no_server_says_how_to_start_one(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=rf"{url}.*refused.*start it with: VLLM_.*FreshWeights"):
        open_server(url, tmp_path, [])


def test_a_server_killed_in_the_middle_loses_nothing(
    engine: VllmServer, servers: list[Server], messages: list[str]
) -> None:
    """The last test: it kills both."""
    engine.load_weights(weights_of(moved_model(1), 1))
    asked = requests((12, 30, 9, 21, 40, 25), n=20)
    undisturbed = tokens(generate(engine, asked))
    answers: dict[int, list[list[int]]] = {}
    for request, rollouts in engine.generate(asked, SAMPLING):
        if not answers:
            kill(servers[0])
            engine.service.url = servers[1].url  # a new server at the old one's name
        assert request.index not in answers, "none is used twice"
        answers[request.index] = [r.token_ids.tolist() for r in rollouts]
    assert answers == undisturbed, "the same rollouts, from the same weights"
    assert len(messages) == 1, "it had weights of its own"

    kill(servers[1])
    engine.service.waits = (0.1, 0.1)
    with pytest.raises(EngineError, match=r"does not answer: .*refused"):
        generate(engine, asked)
