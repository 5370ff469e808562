"""A step is not learnt from when its weights are not those that were meant, or no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from builders import make_group
from srpo.errors import NotFiniteError
from srpo.recipe.schema import GroupConfig
from srpo.run.folder import RunFolder
from srpo.run.guards import check_context, check_tokens, check_version, finite
from srpo.types import Group, TrainingError, UserError


def groups(*versions: int) -> list[Group]:
    found = [make_group("ci", seed=i) for i, _ in enumerate(versions)]
    for group, version in zip(found, versions, strict=True):
        for rollout in group.rollouts:
            rollout.policy_version = version
    return found


def test_a_steps_rollouts_come_from_the_weights_that_the_engine_was_given() -> None:
    assert check_version(groups(7, 7), 7) == 7
    for versions in ((6, 6), (7, 8), (7, 6)):
        said = ", ".join(map(str, sorted(set(versions))))
        with pytest.raises(TrainingError, match=rf"version {said}, and was given version 7"):
            check_version(groups(*versions), 7)
    late = groups(7, 7)
    late[1].rollouts[1].policy_version = 6
    with pytest.raises(TrainingError, match="6, 7"):
        check_version(late, 7)


def test_an_engine_that_samples_what_is_no_number_ends_the_run(tmp_path: Path) -> None:
    right = [make_group("ci"), make_group("ii", seed=1)]
    with finite(RunFolder(tmp_path), 3, right, GroupConfig()):
        pass
    assert list(tmp_path.iterdir()) == []
    right[1].rollouts[0].logprobs[-1] = float("-inf")
    with (
        pytest.raises(NotFiniteError, match=rf"not finite.*batch is in {tmp_path}/failed-step-"),
        finite(RunFolder(tmp_path), 3, right, GroupConfig()),
    ):
        pytest.fail("it shall not be learnt from")
    [saved] = tmp_path.iterdir()
    rows = torch.load(saved, weights_only=True)["rows"]
    assert [row["response_ids"].tolist() for row in rows] == [
        r.token_ids.tolist() for g in right for r in g.rollouts
    ], "those of the group without gradient too"


def test_a_step_that_diverges_leaves_its_rollouts(tmp_path: Path) -> None:
    with (
        pytest.raises(NotFiniteError, match=r"loss nan; the step's batch is in .*-000012\.pt"),
        finite(RunFolder(tmp_path), 12, [make_group("ci")], GroupConfig()),
    ):
        raise NotFiniteError("loss nan")


def test_a_prompt_and_its_response_fit_the_model() -> None:
    check_context(None, 10**6, 10**6)
    check_context(100, 40, 60)
    with pytest.raises(UserError, match=r"prompt of 41 tokens.*100 positions; use at most 59"):
        check_context(100, 41, 60)


def test_a_token_without_an_embedding_is_named() -> None:
    check_tokens(10, [0, 9, 3], "the prompt of 'a'")
    check_tokens(10, [], "nothing")
    with pytest.raises(UserError, match=r"the prompt of 'a' is token 12, .* of 10 tokens only"):
        check_tokens(10, [0, 12, 10], "the prompt of 'a'")
