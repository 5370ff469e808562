"""The seam between the loop and whatever samples responses."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from srpo.recipe.schema import RolloutConfig
from srpo.types import Rollout
from srpo.weights import WeightSource


@dataclass(frozen=True, slots=True)
class Request:
    """Sample `n` responses to one prompt. Its seed fixes them, whatever else is in flight.

    `expected` tokens of a response, 0 where nothing is known, decide when it is begun: the longest
    first, so that no engine is left alone with one in the end. Responses do not depend on it.
    """

    index: int  # the caller's own number for it
    prompt_ids: list[int]
    n: int
    seed: int
    expected: float = 0.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How responses are sampled. One also ends, `FinishReason.STOP`, where it says one of the texts
    `stop`."""

    temperature: float
    top_p: float
    max_new_tokens: int
    top_k: int = 0
    stop: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: RolloutConfig) -> Sampling:
        """As a recipe trains."""
        return cls(
            config.temperature,
            config.top_p,
            config.max_new_tokens,
            config.top_k,
            tuple(config.stop),
        )


# Each request with its rollouts, as soon as the last of them is finished. Closing it gives up what
# is not.
Finished = Generator[tuple[Request, list[Rollout]], None, None]


class RolloutEngine(Protocol):
    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Sample groups.

        A rollout that fails is sampled anew once, with its seed; when that fails too, it carries
        FinishReason.ABORT. Raises EngineError.
        """
        ...

    def load_weights(self, source: WeightSource) -> None:
        """Replace every weight; rollouts from now on carry the source's version."""
        ...

    def release(self) -> None:
        """Give back the memory that only decoding needs, until the next `load_weights`."""
        ...

    def close(self) -> None:
        """Give back everything. Nothing else is called after it."""
        ...


class ReceivingEngine(RolloutEngine, Protocol):
    """One whose process is not the learner's."""

    def receive_weights(self, address: str, first: int, receivers: int, deadline_s: float) -> None:
        """As `load_weights`, of what `srpo.transfer` sends at an address. An engine of several
        processes is as many receivers, from number `first` on. Raises EngineError."""
        ...
