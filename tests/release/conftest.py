"""One real run, and what is released of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_runs import small_recipe
from srpo.release.release import Weights, release
from srpo.run.session import train


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished after two steps; its questions are plain text with a newline behind."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(small_recipe(folder, max_steps=2, rollout__top_p=0.9, rollout__stop_token_ids=[7]))
    return folder


@pytest.fixture(scope="session")
def released(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("released") / "my-model"
    return release(run, out, Weights())
