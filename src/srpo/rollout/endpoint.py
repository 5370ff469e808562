"""Rollouts by an OpenAI-compatible server whose weights stay as they are: for evaluations.

Its tokenizer is its own, so a prompt goes as text or as chat messages. Engines take prompts as
token ids; here these are the bytes of the request's JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Lock
from typing import Any

import numpy as np

from srpo.errors import EngineError
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.jobs import Job, finish
from srpo.rollout.service import BUSY, RefusedError, Service, UnreachableError
from srpo.types import FinishReason, Rollout, UserError
from srpo.weights import WeightSource

KEYS = ("OPENAI_API_KEY", "VLLM_API_KEY")
UNKNOWN = -1  # a token of which the server says no more than that it is there
WAITS_S = (1.0, 2.0, 4.0, 8.0, *[15.0] * 40)  # ten minutes for a server that went away
REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}

Prompt = str | list[dict[str, str]]  # a text to go on with, or the messages of a chat


def encode(prompt: Prompt) -> list[int]:
    """A prompt as what engines take."""
    return list(json.dumps(prompt, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def decode(prompt_ids: list[int]) -> Prompt:
    """What `encode` was given."""
    return json.loads(bytes(prompt_ids))


class Endpoint:
    """A RolloutEngine around a server that cannot be trained. Responses carry no log-probabilities,
    and UNKNOWN for each token where the server does not tell its ids."""

    def __init__(
        self,
        url: str,
        model: str | None,
        max_rows: int,
        message: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Reach the server. Raises UserError.

        Args:
            url: with or without `/v1` at its end.
            model: of those that it serves; None where it serves one.
            max_rows: requests at the same time.
            message: is told when the server is away, and when it is back.
        """
        self.service = Service(url.rstrip("/").removesuffix("/v1"), KEYS)
        self.service.waits = WAITS_S
        self.message = message
        self.model = model or self._only_model()
        self._pool = ThreadPoolExecutor(max_rows)
        self._lock, self._away = Lock(), False

    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Yield finished groups. Raises EngineError."""
        submit = lambda job: self._pool.submit(self._sample, job, sampling)  # noqa: E731
        with closing(finish(requests, submit, self.service.closing)) as finished:
            yield from finished

    def load_weights(self, source: WeightSource) -> None:
        """Nobody trains through it."""
        raise EngineError("an endpoint has its own weights")

    def release(self) -> None:
        """The server's memory is its own."""

    def close(self) -> None:
        """The server stays."""
        self.service.closing.set()
        self._pool.shutdown(cancel_futures=True)

    def _only_model(self) -> str:
        try:
            served = [m["id"] for m in self.service.get("/v1/models")["data"]]
        except (UnreachableError, RefusedError, KeyError, TypeError) as error:
            raise UserError(
                f"--server: {self.service.url!r} is no OpenAI-compatible server that answers:"
                f" {error}; start one, for example with: vllm serve MODEL"
            ) from error
        if len(served) != 1:
            raise UserError(
                f"--server: {self.service.url!r} serves {len(served)} models"
                f" ({', '.join(served[:5])}); name one of them as MODEL"
            )
        return served[0]

    def _sample(self, job: Job, sampling: Sampling) -> Rollout:
        prompt = decode(job.prompt_ids)
        path, key = (
            ("/v1/completions", "prompt")
            if isinstance(prompt, str)
            else (
                "/v1/chat/completions",
                "messages",
            )
        )
        body = {
            "model": self.model,
            key: prompt,
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": job.seed % 2**31,  # what every server takes
            **({"top_k": sampling.top_k} if sampling.top_k else {}),
            **({"stop": list(sampling.stop)} if sampling.stop else {}),
        }
        try:
            answer = self.service.persist(
                lambda: self.service.post(path, body, BUSY), self._is_away
            )
            self._is_back()
            return _rollout(answer)
        except (RefusedError, UnreachableError) as error:
            raise EngineError(
                f"--server: {self.service.url} gave no answer: {error}; what was answered is kept,"
                " and the same command goes on"
            ) from error
        except (KeyError, IndexError, TypeError) as error:
            raise EngineError(
                f"--server: {self.service.url} answers otherwise than OpenAI's interface ({error})"
            ) from error

    def _is_away(self, why: str) -> None:
        with self._lock:
            first, self._away = not self._away, True
        if first:
            self.message(f"the server is away ({why[:200]}); trying again")

    def _is_back(self) -> None:
        with self._lock:
            was, self._away = self._away, False
        if was:
            self.message("the server is back")


def _rollout(answer: dict[str, Any]) -> Rollout:
    choice = answer["choices"][0]
    message = choice.get("message")
    text = choice["text"] if message is None else _said(message)
    tokens = (answer.get("usage") or {}).get("completion_tokens") or len(text.split())
    return Rollout(
        token_ids=np.full(tokens, UNKNOWN, np.int32),
        logprobs=np.empty(0, np.float32),
        text=text,
        finish_reason=REASONS.get(choice.get("finish_reason") or "stop", FinishReason.ABORT),
        policy_version=0,
    )


def _said(message: dict[str, Any]) -> str:
    """The answer, after what the server's parser has taken for reasoning."""
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    said = message.get("content") or ""
    return f"<think>{thought}</think>{said}" if thought else said
