"""Rows of a micro-batch one after the other, without padding between them.

Everything in a transformer but attention looks at one token alone. Attention is told the rows'
lengths, and computes each row by itself; rows of the same length go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

# Without a mask of this name transformers makes none: causal rows without padding need none.
NAME = "sdpa_rows"
KNOWN_LAYERS = {"full_attention", "sliding_attention"}
TOLERANCE = 1e-3  # of hidden states, between rows together and alone


def rows_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    row_lengths: Sequence[int] | None = None,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """(1, heads, T, size) queries, keys and values of rows of `row_lengths` tokens, T in all:
    (1, T, heads, size). Without lengths all is one row, or B of them."""
    if row_lengths is None:
        window = _window(query.shape[2], sliding_window, query.device)
        return sdpa_attention_forward(module, query, key, value, window, **options)
    runs = [(length, len(list(same))) for length, same in groupby(row_lengths)]
    # One split: the backward pass of a slice would fill the whole with zeros, each time.
    parts = [x[0].split([n * length for length, n in runs], 1) for x in (query, key, value)]
    outs = []
    for (length, n), *of_rows in zip(runs, *parts, strict=True):
        q, k, v = (x.unflatten(1, (n, length)).transpose(0, 1) for x in of_rows)
        window = _window(length, sliding_window, query.device)
        out, _ = sdpa_attention_forward(module, q, k, v, window, **options)
        outs.append(out.reshape(n * length, *out.shape[2:]))
    return torch.cat(outs)[None], None


def _window(length: int, size: int | None, device: torch.device) -> Tensor | None:
    """(length, length) bool: what a sliding window leaves; None where it leaves everything."""
    if size is None or length <= size:
        return None
    at = torch.arange(length, device=device)
    distance = at[:, None] - at[None, :]
    return (distance >= 0) & (distance < size)


AttentionInterface.register(NAME, rows_attention)


def use_packed_rows(model: PreTrainedModel) -> bool:
    """Teach a model to take packed rows; False, and nothing is changed, for one that cannot: with
    a recurrent layer or an attention of its own."""
    before = model.config._attn_implementation
    if before not in ("sdpa", "flash_attention_2") or not _plain(model):
        return False
    if before == "sdpa":
        model.set_attn_implementation(NAME)  # flash attention finds the rows by their positions
    if _same(model):
        return True
    model.set_attn_implementation(before)
    return False


def _plain(model: PreTrainedModel) -> bool:
    """Whether its attention is causal, over the whole row or a window that it tells of."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    tells = any(hasattr(module, "sliding_window") for module in model.modules())
    return kinds <= KNOWN_LAYERS and ("sliding_attention" not in kinds or tells)


@torch.no_grad()
def _same(model: PreTrainedModel) -> bool:
    """Whether packed rows give what each gives alone."""
    body, device = model.base_model, model.device
    rows = [torch.arange(n, device=device) for n in (3, 5, 5)]
    positions = torch.cat(rows)
    lengths = tuple(len(row) for row in rows)
    try:
        alone = [body(input_ids=row[None], use_cache=False).last_hidden_state[0] for row in rows]
        packed = body(
            input_ids=positions[None],
            use_cache=False,
            position_ids=positions[None],
            row_lengths=lengths,
        ).last_hidden_state[0]
    except Exception:  # a forward pass that takes no such arguments
        return False
    return torch.allclose(packed, torch.cat(alone), atol=TOLERANCE, rtol=TOLERANCE)
