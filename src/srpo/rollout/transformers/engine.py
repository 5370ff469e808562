"""Rollouts by transformers: runs anywhere, exact, and no slower than it must be.

A prompt is prefilled once for its whole group, finished rows leave the batch, and a group is
handed out the moment its last row ends, so that verification overlaps with decoding.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel

from srpo.errors import in_one_line
from srpo.models import eos_ids
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.stops import is_stopped, response_text, tail_of
from srpo.rollout.transformers.attention import use_grouped_attention
from srpo.rollout.transformers.cache import is_recurrent, roomy_cache, select_rows
from srpo.rollout.transformers.sampling import sample, uniforms
from srpo.transfer import receive
from srpo.types import FinishReason, Rollout, UserError
from srpo.weights import WeightSource

# What rounding does in bfloat16, experts that are chosen otherwise included; a cache that is not
# right differs by several nats.
DECODING_TOLERANCE = {torch.float32: 0.01, torch.bfloat16: 0.5}
ROOM = 256  # tokens of each row that there is room for at first
COMPACT_AT = 0.85  # share of live rows below which finished ones are taken out of the batch


class TransformersEngine:
    """A RolloutEngine around one transformers model, which it owns."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        max_rows: int,
        eos: frozenset[int] | None = None,
    ):
        """`eos`: every token that ends a response; by default those of the model."""
        self.model, self.tokenizer, self.max_rows = model.eval(), tokenizer, max_rows
        use_grouped_attention(model)
        self.recurrent = is_recurrent(model)
        self.eos_ids = eos_ids(model, tokenizer) if eos is None else eos
        self.version = 0

    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Yield finished groups. A batch has at most `max_rows` rows (one group at least): the
        requests whose responses are expected to be longest come first, and of those alike the ones
        with similar prompts. Prompts of one length share it, where padding would matter."""
        for wave in self._waves(requests):
            yield from self._decode(wave, sampling)

    def check(self) -> None:
        """Decoding token by token has to give what reading the whole at once gives. Raises
        UserError for a model with a cache of its own, which this engine does not know."""
        rows = min(len(self.model.get_input_embeddings().weight), 64)  # pyright: ignore
        asked = [Request(i, [j % rows for j in range(n)], 2, i) for i, n in enumerate((3, 5))]
        name = type(self.model).__name__
        fix = f"rollout.engine: transformers cannot decode a {name} step by step here"
        try:
            with torch.inference_mode():
                worst = max(
                    self._difference(request.prompt_ids, rollout)
                    for request, rollouts in self.generate(asked, Sampling(1.0, 1.0, 4))
                    for rollout in rollouts
                )
        except Exception as error:  # each cache fails in its own way
            raise UserError(f"{fix} ({in_one_line(error, 200)}); use vllm") from error
        if not worst < DECODING_TOLERANCE.get(self.model.dtype, 0.01):
            raise UserError(f"{fix}: its log-probabilities are off by {worst:.2g}; use vllm")

    def _difference(self, prompt: list[int], rollout: Rollout) -> float:
        """Mean over the tokens, between decoding and reading."""
        response = torch.from_numpy(rollout.token_ids).long()
        ids = torch.cat([torch.tensor(prompt), response])[None].to(self.model.device)
        logits = self.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
        read = torch.log_softmax(logits.float(), -1).cpu()
        chosen = read.gather(1, response[:, None])[:, 0]
        return float((chosen - torch.from_numpy(rollout.logprobs)).abs().mean())

    def load_weights(self, source: WeightSource) -> None:
        own = dict(self.model.named_parameters())
        strange = own.keys() ^ source.metadata.keys()
        assert not strange, f"weights unknown or left stale: {sorted(strange)[:3]}"
        with torch.no_grad():
            for name, tensor in source:
                own[name].copy_(tensor)
        self.version = source.version

    def receive_weights(self, address: str, first: int, receivers: int, deadline_s: float) -> None:
        device = self.model.device
        self.load_weights(receive(address, first, receivers, deadline_s, device))

    def release(self) -> None:
        """Nothing is held between calls but the weights, which stay."""

    def close(self) -> None:
        """Nothing is open."""

    def _waves(self, requests: list[Request]) -> Iterator[list[Request]]:
        by_length = sorted(requests, key=lambda r: len(r.prompt_ids))
        place = {id(request): i for i, request in enumerate(by_length)}
        wave: list[Request] = []
        rows = 0
        for request in sorted(by_length, key=self._turn):
            other = wave and len(wave[-1].prompt_ids) != len(request.prompt_ids)
            if wave and (rows + request.n > self.max_rows or (self.recurrent and other)):
                yield sorted(wave, key=lambda r: place[id(r)])
                wave, rows = [], 0
            wave.append(request)
            rows += request.n
        if wave:
            yield sorted(wave, key=lambda r: place[id(r)])

    def _turn(self, request: Request) -> tuple[float, ...]:
        length, expected = len(request.prompt_ids), -request.expected
        return (length, expected) if self.recurrent else (expected, length)

    def _decode(
        self, wave: list[Request], sampling: Sampling
    ) -> Iterator[tuple[Request, list[Rollout]]]:
        batch = _Batch(self.model, self.tokenizer, wave, sampling)
        rollouts: list[dict[int, Rollout]] = [{} for _ in wave]
        while batch.live.any():
            batch.sample(self.eos_ids)
            for at, member, ids, logprobs, reason in batch.finished():
                rollouts[at][member] = Rollout(
                    token_ids=ids,
                    logprobs=logprobs,
                    text=response_text(self.tokenizer, self.eos_ids, ids.tolist(), sampling.stop),
                    finish_reason=reason,
                    policy_version=self.version,
                )
                if len(rollouts[at]) == wave[at].n:
                    yield wave[at], [rollouts[at][i] for i in range(wave[at].n)]
            batch.advance()


@dataclass
class _Row:
    """Which rollout a row of the batch is."""

    request: int
    member: int


class _Batch:
    """Rows that decode together: B of them, some already finished.

    Prompts are padded on the left, so that every row's next token falls into one column.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: Any, wave: list[Request], sampling: Sampling
    ):
        self.model, self.sampling, self.device = model, sampling, model.device
        known = inspect.signature(model.forward).parameters
        self.cache_name = "cache_params" if "cache_params" in known else "past_key_values"
        self.tokenizer, pad = tokenizer, tokenizer.pad_token_id or 0
        counts = torch.tensor([r.n for r in wave])
        self.rows = [_Row(i, j) for i, r in enumerate(wave) for j in range(r.n)]
        self.live = torch.ones(len(self.rows), dtype=torch.bool)
        self.uniform = torch.cat([uniforms(r.seed, r.n, sampling.max_new_tokens) for r in wave])
        self.length = 0  # T: tokens of each row so far
        self.tokens = torch.empty(len(self.rows), 0, dtype=torch.int32)  # (B, T or more)
        self.logprobs = torch.empty(len(self.rows), 0)
        self.newly: list[tuple[int, FinishReason]] = []
        self._prefill(wave, pad, torch.repeat_interleave(torch.arange(len(wave)), counts))

    @torch.inference_mode()
    def _prefill(self, wave: list[Request], pad: int, owner: Tensor) -> None:
        width = max(len(r.prompt_ids) for r in wave)
        ids = torch.full((len(wave), width), pad)
        mask = torch.zeros(len(wave), width, dtype=torch.long)
        for i, request in enumerate(wave):
            ids[i, width - len(request.prompt_ids) :] = torch.tensor(request.prompt_ids)
            mask[i, width - len(request.prompt_ids) :] = 1
        owner = owner.to(self.device)
        self.cache: DynamicCache = roomy_cache(self.model)
        self.padded = bool((mask == 0).any())
        self.mask = mask.to(self.device)
        self.position = self.mask.sum(-1)[owner]
        positions = (self.mask.cumsum(-1) - 1).clamp(min=0)
        logits = self._forward(ids.to(self.device), positions)
        select_rows(self.cache, owner)
        self.mask, self.logits = self.mask[owner], logits[owner]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        """(B, T) ids to the (B, V) logits of the token after the last."""
        return self.model(
            input_ids=ids,
            attention_mask=self.mask if self.padded else None,
            position_ids=positions,
            **{self.cache_name: self.cache},
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]

    @torch.inference_mode()
    def sample(self, eos: frozenset[int]) -> None:
        """Sample one token for every row, and note which rows it finishes."""
        t, s = self.length, self.sampling
        tokens, logprobs = sample(self.logits, self.uniform[:, t], s.temperature, s.top_p, s.top_k)
        column = tokens.cpu()
        self._append(column, logprobs.cpu())
        ended = (torch.isin(column, torch.tensor(sorted(eos))) | self._stopped()) & self.live
        cut = self.live & ~ended & (t + 1 == self.sampling.max_new_tokens)
        self.newly = [(i, FinishReason.STOP) for i in ended.nonzero()[:, 0].tolist()]
        self.newly += [(i, FinishReason.LENGTH) for i in cut.nonzero()[:, 0].tolist()]
        self.live &= ~(ended | cut)

    def _append(self, tokens: Tensor, logprobs: Tensor) -> None:
        """One more column; there is room for twice as many whenever it runs out."""
        if self.length == self.tokens.shape[1]:
            room = min(max(self.length, ROOM), self.sampling.max_new_tokens - self.length)
            self.tokens = F.pad(self.tokens, (0, room))
            self.logprobs = F.pad(self.logprobs, (0, room))
        self.tokens[:, self.length] = tokens
        self.logprobs[:, self.length] = logprobs
        self.length += 1

    def _stopped(self) -> Tensor:
        """(B,) bool: rows whose last token completed a stop text."""
        found = torch.zeros_like(self.live)
        if self.sampling.stop:
            start = max(self.length - tail_of(self.sampling.stop), 0)
            tails = self.tokens[:, start : self.length]
            for i in self.live.nonzero()[:, 0].tolist():
                found[i] = is_stopped(self.tokenizer, tails[i].tolist(), self.sampling.stop)
        return found

    @torch.inference_mode()
    def advance(self) -> None:
        """Run the model on the sampled tokens, without the finished rows if they are many."""
        if not self.live.any():
            return
        if self.live.float().mean() < COMPACT_AT:
            self._compact()
        if self.padded:
            self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.rows), 1)], dim=1)
        tokens = self.tokens[:, self.length - 1].long().to(self.device)
        self.logits = self._forward(tokens[:, None], self.position[:, None])
        self.position = self.position + 1

    def finished(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, FinishReason]]:
        """What the last step finished: (request, member, ids, log-probabilities, reason)."""
        for i, reason in self.newly:
            row = self.rows[i]
            tokens, logprobs = (x[i, : self.length].numpy() for x in (self.tokens, self.logprobs))
            yield row.request, row.member, tokens.copy(), logprobs.copy(), reason
        self.newly = []

    def _compact(self) -> None:
        kept = self.live.nonzero()[:, 0]
        self.rows = [self.rows[i] for i in kept.tolist()]
        self.live, self.uniform = self.live[kept], self.uniform[kept]
        self.tokens, self.logprobs = self.tokens[kept], self.logprobs[kept]
        kept = kept.to(self.device)
        select_rows(self.cache, kept)
        self.mask, self.position = self.mask[kept], self.position[kept]
