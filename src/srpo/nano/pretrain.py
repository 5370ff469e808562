"""Pretrain nano's base model from nothing: `python -m srpo.nano.pretrain --out DIR`.

A Qwen2 of about 0.85M parameters reads an endless stream of `corpus.document`; the loss is on
the answers alone. Everything is seeded, so a machine reproduces its own weights; it runs on a
CPU (about an hour on two cores) or on a GPU.

There are two phases. Batches hold documents of like length, and the first phase gives every
batch the same weight, which favours short answers; the second gives every token the same
weight, so that the step-by-step answers come to be written as well, and as often, as in the
corpus.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from srpo.nano.corpus import document
from srpo.nano.tokenizer import END, PAD, train_tokenizer

VOCAB, TOKENIZER_DOCUMENTS = 512, 20_000
BATCH, WARMUP, FINAL_LR = 128, 200, 2e-5
BUCKETS = 8  # batches drawn at a time and sorted by length, so that little is padding
IGNORED = -100
ANSWER_TOKENS = 3300  # mean answer tokens in a batch of the corpus


@dataclass(frozen=True)
class Phase:
    """So many optimizer steps with one learning rate at their peak, and one weighting."""

    steps: int
    peak_lr: float
    equal: str  # what has equal weight in the loss: "batch" or "token"


PHASES = (Phase(8000, 2e-3, "batch"), Phase(2500, 1e-3, "token"))


def new_model(tokenizer: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    """A Qwen2 of VOCAB tokens, weights drawn by torch's global seed."""
    config = Qwen2Config(
        vocab_size=VOCAB,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        eos_token_id=special_id(tokenizer, END),
        pad_token_id=special_id(tokenizer, PAD),
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config)


def special_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """The id of a special token, which the tokenizer has as one."""
    id_ = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(id_, int)
    return id_


class Stream:
    """Batches (ids, labels), each (B, T), from the endless corpus."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.end, self.pad = special_id(tokenizer, END), special_id(tokenizer, PAD)
        self.ready: list[list[tuple[list[int], int]]] = []

    def _rows(self, n: int) -> list[tuple[list[int], int]]:
        docs = [document(self.rng) for _ in range(n)]
        prompts = self.tokenizer([d.prompt for d in docs]).input_ids
        answers = self.tokenizer([d.response for d in docs]).input_ids
        return [([*p, *a, self.end], len(p)) for p, a in zip(prompts, answers, strict=True)]

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The next batch; labels are IGNORED on prompts and padding."""
        if not self.ready:
            rows = sorted(self._rows(BATCH * BUCKETS), key=lambda r: len(r[0]))
            self.ready = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
            self.rng.shuffle(self.ready)
        rows = self.ready.pop()
        width = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), width), self.pad)
        labels = torch.full((len(rows), width), IGNORED)
        for i, (row, start) in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            labels[i, start : len(row)] = ids[i, start : len(row)]
        return ids, labels


def learning_rate(step: int, phase: Phase) -> float:
    """Linear warm-up, constant, and a linear decay over the last 40%."""
    left = min(1.0, (phase.steps - step) / (0.4 * phase.steps))
    return max(FINAL_LR, phase.peak_lr * min(1.0, (step + 1) / WARMUP) * left)


def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for the model and its tokenizer.")],
    seed: Annotated[int, typer.Option(help="Seeds weights, tokenizer and corpus.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    first_phase: Annotated[
        int, typer.Option(help="1 starts with the second phase, from the model in --out.")
    ] = 0,
    compiled: Annotated[
        bool, typer.Option(help="torch.compile: 1.4x faster; needs a C++ compiler.")
    ] = True,
) -> None:
    """Pretrain nano's base model and write it to a folder, in Hugging Face's format."""
    torch.manual_seed(seed)
    if first_phase:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(out)
        model = Qwen2ForCausalLM.from_pretrained(out, dtype=torch.float32)
    else:
        tokenizer = train_tokenizer(VOCAB, TOKENIZER_DOCUMENTS, seed)
        model = new_model(tokenizer)
    model.to(torch.device(device))  # pyright: ignore[reportArgumentType]
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    for number, phase in enumerate(PHASES[first_phase:], first_phase + 1):
        stream = Stream(tokenizer, seed + number)
        run_phase(model, stream, phase, device, compiled)
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)


def run_phase(
    model: Qwen2ForCausalLM, stream: Stream, phase: Phase, device: str, compiled: bool
) -> None:
    """Train `model` in place; a line on standard output every 50 steps."""
    forward = torch.compile(model, dynamic=True) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.05)
    start, smooth = time.perf_counter(), 0.0
    for step in range(phase.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, phase)
        ids, labels = (x.to(device) for x in stream.next())
        logits = forward(input_ids=ids[:, :-1]).logits
        mean = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        tokens = int((labels[:, 1:] != IGNORED).sum())
        loss = mean * tokens / ANSWER_TOKENS if phase.equal == "token" else mean
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 49:
            seconds = time.perf_counter() - start
            print(f"step {step + 1}/{phase.steps} loss {smooth:.4f} {seconds:.0f}s", flush=True)


if __name__ == "__main__":
    typer.run(pretrain)
