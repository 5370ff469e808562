"""The seam between the loop and whatever samples responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from srpo.types import Rollout


@dataclass(frozen=True, slots=True)
class Request:
    """Sample `n` responses to one prompt. Its seed fixes them, whatever else is in flight."""

    index: int  # the caller's own number for it
    prompt_ids: list[int]
    n: int
    seed: int


@dataclass(frozen=True, slots=True)
class Sampling:
    temperature: float
    top_p: float
    max_new_tokens: int


class RolloutEngine(Protocol):
    def generate(
        self, requests: list[Request], sampling: Sampling
    ) -> Iterator[tuple[Request, list[Rollout]]]:
        """Yield each request with its rollouts as soon as the last of them is finished.

        A rollout that fails is sampled anew once, with its seed; when that fails too, it carries
        FinishReason.ABORT. Raises EngineError.
        """
        ...

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """Replace every weight; rollouts from now on carry `version`."""
        ...

    def release(self) -> None:
        """Give back the memory that only decoding needs, until the next `load_weights`."""
        ...

    def close(self) -> None:
        """Give back everything. Nothing else is called after it."""
        ...
