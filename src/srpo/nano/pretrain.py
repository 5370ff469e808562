"""Pretrain nano's base model from nothing: `python -m srpo.nano.pretrain --out DIR`.

A Qwen2 of about 0.85M parameters reads an endless stream of `corpus.document`; the loss is on
the answers alone. Everything is seeded, so a machine reproduces its own weights; it runs on a
CPU (about 50 minutes on two cores) or on a GPU.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from srpo.nano.corpus import document
from srpo.nano.tokenizer import train_tokenizer

VOCAB, TOKENIZER_DOCUMENTS = 512, 20_000
BATCH, WARMUP, PEAK_LR, FINAL_LR = 128, 200, 2e-3, 2e-5
BUCKETS = 8  # batches drawn at a time and sorted by length, so that little is padding
IGNORED = -100


def new_model(tokenizer: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    config = Qwen2Config(
        vocab_size=VOCAB,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config)


class Stream:
    """Batches (ids, labels), each (B, T), from the endless corpus."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.ready: list[list[tuple[list[int], int]]] = []

    def _rows(self, n: int) -> list[tuple[list[int], int]]:
        docs = [document(self.rng) for _ in range(n)]
        prompts = self.tokenizer([d.prompt for d in docs]).input_ids
        answers = self.tokenizer([d.response for d in docs]).input_ids
        end = self.tokenizer.eos_token_id
        return [([*p, *a, end], len(p)) for p, a in zip(prompts, answers, strict=True)]

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.ready:
            rows = sorted(self._rows(BATCH * BUCKETS), key=lambda r: len(r[0]))
            self.ready = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
            self.rng.shuffle(self.ready)
        rows = self.ready.pop()
        width = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
        labels = torch.full((len(rows), width), IGNORED)
        for i, (row, start) in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            labels[i, start : len(row)] = ids[i, start : len(row)]
        return ids, labels


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, constant, and a linear decay over the last 40%."""
    left = min(1.0, (steps - step) / (0.4 * steps))
    return max(FINAL_LR, PEAK_LR * min(1.0, (step + 1) / WARMUP) * left)


def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for the model and its tokenizer.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of 128 documents.")] = 8000,
    seed: Annotated[int, typer.Option(help="Seeds weights, tokenizer and corpus.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    compiled: Annotated[
        bool, typer.Option(help="torch.compile: 1.4x faster; needs a C++ compiler.")
    ] = True,
) -> None:
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(VOCAB, TOKENIZER_DOCUMENTS, seed)
    model = new_model(tokenizer).to(device)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    forward = torch.compile(model, dynamic=True) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.05)
    stream, start, smooth = Stream(tokenizer, seed + 1), time.perf_counter(), 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        ids, labels = (x.to(device) for x in stream.next())
        logits = forward(input_ids=ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 49:
            seconds = time.perf_counter() - start
            print(f"step {step + 1} loss {smooth:.4f} {seconds:.0f}s", flush=True)
        if step % 500 == 499 or step == steps - 1:
            save(model, tokenizer, out)


def save(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    typer.run(pretrain)
