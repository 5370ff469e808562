"""From hidden states to logits, a few positions at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from srpo.types import UserError


def open_head(model: PreTrainedModel) -> nn.Module:
    """A module from (N, D) hidden states to (N, V) logits. Raises UserError.

    The output layer alone is that in most models. Some scale or soft-cap what comes out of it.
    """
    ids = torch.arange(4, device=model.device)[None]
    with torch.no_grad():
        theirs = model(input_ids=ids, use_cache=False).logits[0].float()
        body = model.base_model(input_ids=ids, use_cache=False)
        for head in (output_layer(model), OwnHead(model, type(body))):
            ours = head(body.last_hidden_state[0]).float()
            if torch.allclose(ours, theirs, atol=1e-3, rtol=1e-3):
                return head
    raise UserError(
        f"model: the logits of a {type(model).__name__} are not those that its output layer makes"
        " of its hidden states, so the learner cannot score with it"
    )


class OwnHead(nn.Module):
    """What the model itself makes of hidden states: its own forward pass, in which its body
    returns those that it is given."""

    def __init__(self, model: PreTrainedModel, output: type):
        super().__init__()
        self.model = [model]  # no part of this module: it is the other way round
        self.output = output
        self.out_features = len(output_layer(model).weight)

    def forward(self, hidden: Tensor) -> Tensor:
        [model] = self.model
        body: Any = model.base_model
        usual = body.__dict__.get("forward")
        body.forward = lambda *_, **__: self.output(last_hidden_state=hidden[None])
        try:
            ids = torch.zeros(1, len(hidden), dtype=torch.long, device=hidden.device)
            return model(input_ids=ids, use_cache=False).logits[0]
        finally:
            if usual is None:
                del body.forward
            else:
                body.forward = usual


def output_layer(model: PreTrainedModel) -> Any:
    """Its last one."""
    layer = model.get_output_embeddings()
    assert layer is not None, "a causal language model has an output layer"
    return layer
