"""Small real parts for tests: verified groups, a tiny random model and a tokenizer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from srpo.algorithm.ledger import Ledger
from srpo.algorithm.strategies.base import Epoch
from srpo.nano.tokenizer import train_tokenizer
from srpo.types import FinishReason, Group, Outcome, Problem, Reward, Rollout, Verdict
from srpo.weights import WeightSource

OUTCOMES = {"c": Outcome.CORRECT, "i": Outcome.INCORRECT, "e": Outcome.ERROR}
VOCABULARY = 300


def problem(id_: str = "p0", domain: str = "math") -> Problem:
    tests = {"type": "stdin", "cases": [{"input": "", "output": "1"}]}
    if domain == "code":
        return Problem(id_, domain, f"Print {id_}.", tests=tests)
    return Problem(id_, domain, f"What is {id_}?", answer="1")


def problems(math: int, code: int = 0) -> list[Problem]:
    return [problem(f"m{i}") for i in range(math)] + [problem(f"k{i}", "code") for i in range(code)]


def make_group(
    outcomes: str,
    rewards: Sequence[float] | None = None,
    lengths: Sequence[int] | None = None,
    of: Problem | None = None,
    truncated: int = 0,
    seed: int = 0,
) -> Group:
    """A verified group; `outcomes` has a letter a rollout: c, i or e.

    Rewards are 1 for correct and 0 for incorrect unless given; token ids are random.
    """
    random = torch.Generator().manual_seed(seed)
    lengths = lengths or [3] * len(outcomes)
    rewards = rewards or [float(letter == "c") for letter in outcomes]
    rollouts = []
    for i, (letter, length, total) in enumerate(zip(outcomes, lengths, rewards, strict=True)):
        ids = torch.randint(2, VOCABULARY, (length,), generator=random).int().numpy()
        logprobs = (-torch.rand(length, generator=random) * 5).numpy()
        reason = FinishReason.LENGTH if i < truncated else FinishReason.STOP
        reward = None if letter == "e" else Reward(float(letter == "c"), 1.0, 0.0, total)
        verdict = Verdict(OUTCOMES[letter])
        rollouts.append(Rollout(ids, logprobs, "text", reason, 0, verdict, reward))
    prompt = torch.randint(2, VOCABULARY, (4,), generator=random).tolist()
    return Group(of or problem(), prompt, rollouts)


def plain(rollouts: Sequence[Rollout]) -> list[Any]:
    """All that they say, to be compared: arrays have no truth of their own."""
    names = [f.name for f in fields(Rollout)]
    values = [[getattr(r, name) for name in names] for r in rollouts]
    return [[v.tolist() if isinstance(v, np.ndarray) else v for v in row] for row in values]


def record(
    ledger: Ledger, stage: str, epoch: int, outcomes: dict[str, str], step: int = 1, **over: Any
) -> None:
    """One group for each problem id, of the outcomes given."""
    groups = [make_group(letters, of=problem(id_), **over) for id_, letters in outcomes.items()]
    ledger.record(stage, epoch, step, groups)


def epoch_over(
    ledger: Ledger,
    stage: np.ndarray | None = None,
    active: np.ndarray | None = None,
    group_size: int = 4,
    seed: int = 0,
    epoch: int = 0,
) -> Epoch:
    """The ledger's epoch, of a stage and an epoch with all problems unless others are given."""
    every = np.ones(len(ledger.ids), dtype=bool)
    rows, rng = ledger.rows(ledger.stages[0], epoch), np.random.default_rng(seed)
    stage, active = every if stage is None else stage, every if active is None else active
    return Epoch(ledger, rows, stage, active, group_size, rng)


@cache
def _tiny_model(seed: int, tied: bool) -> Qwen2ForCausalLM:
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=tied,
        eos_token_id=None,
        bos_token_id=None,
        initializer_range=0.3,  # a peaked distribution: random weights that have opinions
    )
    return Qwen2ForCausalLM(config)


def tiny_model(seed: int = 0, tied: bool = True, dtype: torch.dtype = torch.float32) -> Any:
    """A Qwen2 of about 20k parameters with random weights; the same for the same seed."""
    model: Any = copy.deepcopy(_tiny_model(seed, tied))
    return model.to(dtype)


def weights_of(model: Any, version: int) -> WeightSource:
    """As a learner publishes them."""
    return WeightSource.of(version, model.named_parameters())


@cache
def nano_tokenizer() -> Any:
    return train_tokenizer(VOCABULARY, 60, 0)
