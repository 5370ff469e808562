"""What has to hold for a step to be learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from srpo.algorithm.strategies import open_strategy
from srpo.domains import find_domain
from srpo.errors import NotFiniteError
from srpo.learner.batch import pack
from srpo.recipe.schema import AdvantageConfig, Recipe
from srpo.run.folder import RunFolder
from srpo.types import Group, TrainingError, UserError
from srpo.verifiers.pool import own_verifier
from srpo.verifiers.reward import RewardRule


def check_own(recipe: Recipe) -> None:
    """All code of the user's own that a recipe names can be loaded and takes its settings. Raises
    UserError."""
    for section in ("train", "eval"):
        for i, source in enumerate(getattr(recipe.data, section)):
            find_domain(source.domain, f"data.{section}[{i}].domain")
    open_strategy(recipe.sampler.strategy)
    RewardRule(recipe.reward, {})
    for name, own in recipe.verifier.own.items():
        own_verifier(own, f"verifier.own.{name}")


def check_context(limit: int | None, prompt: int, response: int) -> None:
    """A prompt and its response must fit the model's positions. Raises UserError."""
    if limit is not None and prompt + response > limit:
        raise UserError(
            f"rollout.max_new_tokens: {response}, with a longest prompt of {prompt} tokens, is more"
            f" than the model's {limit} positions; use at most {max(limit - prompt, 0)}"
        )


def check_tokens(rows: int, ids: Iterable[int], what: str) -> None:
    """Tokens without a row in the embedding, or in the logits, cannot be read or written. Raises
    UserError.

    A tokenizer that was given more tokens after its model was made has such tokens.
    """
    if (highest := max(ids, default=0)) >= rows:
        raise UserError(
            f"model: {what} is token {highest}, and the model has embeddings of {rows} tokens"
            " only, from 0; resize them (model.resize_token_embeddings(len(tokenizer))) and save"
            " the model, or use the tokenizer that it came with"
        )


def check_version(groups: Sequence[Group], version: int) -> int:
    """The version of the weights that every rollout comes from. Raises TrainingError when it is
    not `version`, which the engine was given last."""
    found = {r.policy_version for g in groups for r in g.rollouts}
    if found - {version}:
        raise TrainingError(
            f"the engine sampled with weights of version {', '.join(map(str, sorted(found)))}, and"
            f" was given version {version}"
        )
    return version


@contextmanager
def finite(
    folder: RunFolder, step: int, groups: Sequence[Group], config: AdvantageConfig
) -> Iterator[None]:
    """A step whose numbers are not finite leaves its rollouts to be looked at. Raises
    NotFiniteError.

    Weights that diverged may sample nonsense without any gradient; that shall show too.
    """
    try:
        if not all(np.isfinite(r.logprobs).all() for g in groups for r in g.rollouts):
            raise NotFiniteError(
                "the policy's log-probabilities are not finite; try a lower learner.lr"
            )
        yield
    except NotFiniteError as error:
        path = folder.save_failed_step(step, pack(groups, config, keep_all=True))
        raise NotFiniteError(f"{error}; the step's batch is in {path}") from error
