"""How much memory a run will take: arithmetic on the shape of the model and the recipe's sizes.

An estimate: what frameworks keep for themselves (CUDA, fragments, the sandbox) comes on top, and
the activations are those of a Llama-like layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srpo.recipe.schema import Recipe

BYTES = {"float32": 4, "bfloat16": 2}
# Of a layer's activations: in mixed precision the norms and the residual stream stay float32.
KEPT_BYTES = {"float32": 4, "bfloat16": 3}
LOGIT_COPIES = 3  # logits, their softmax, its gradient


@dataclass(frozen=True)
class Shape:
    """What of a model decides about memory."""

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    kv_width: int  # key-value heads x head size
    vocabulary: int

    @classmethod
    def of(cls, config: Any, parameters: int) -> Shape:
        """From the text part of a transformers config; unusual models are taken for usual ones."""
        hidden = int(config.hidden_size)
        heads = int(getattr(config, "num_attention_heads", None) or 1)
        kv_heads = int(getattr(config, "num_key_value_heads", None) or heads)
        head = int(getattr(config, "head_dim", None) or hidden // heads)
        inner = int(getattr(config, "intermediate_size", None) or 4 * hidden)
        layers, vocabulary = int(config.num_hidden_layers), int(config.vocab_size)
        return cls(parameters, layers, hidden, inner, kv_heads * head, vocabulary)

    @property
    def layer_values(self) -> int:
        """Values of one token that a layer keeps for its backward pass: the inputs of both norms
        and what they make of them, query, attention's and the two projections' results, keys and
        values; the MLP's gate, its activation, the other half and their product."""
        return 8 * self.hidden + 2 * self.kv_width + 4 * self.intermediate


@dataclass(frozen=True)
class Memory:
    """Bytes, by what they are for."""

    weights: int
    moments: int
    reference: int
    gradients: int
    activations: int
    logits: int
    decoding_copy: int
    kv_cache: int

    @property
    def learning(self) -> int:
        """While the learner learns; the engine's copy stays."""
        return self._always + self.gradients + self.activations + self.logits

    @property
    def decoding(self) -> int:
        """While the engine decodes; gradients and activations are gone."""
        return self._always + self.kv_cache

    @property
    def peak(self) -> int:
        """The larger of the two."""
        return max(self.learning, self.decoding)

    @property
    def _always(self) -> int:
        return self.weights + self.moments + self.reference + self.decoding_copy


def estimate(recipe: Recipe, shape: Shape, longest: int) -> Memory:
    """What a run will take; `longest` is the longest prompt, in tokens."""
    learner, rollout = recipe.learner, recipe.rollout
    n, size = shape.parameters, BYTES[learner.dtype]
    answer = max(rollout.max_new_tokens, recipe.eval.max_new_tokens or 0)
    row = longest + answer
    asked = recipe.sampler.prompts_per_step * rollout.group_size
    tokens = max(min(learner.micro_batch_tokens, asked * row), row)
    rows = max(min(rollout.max_rows, asked), rollout.group_size)
    casts = 2 * n if learner.dtype == "bfloat16" else 0  # of the weights, by the forward pass
    return Memory(
        weights=4 * n,
        moments=8 * n,
        reference=4 * n if recipe.loss.kl_coef > 0 else 0,
        gradients=4 * n,
        activations=casts + tokens * _kept(shape, recipe),
        logits=LOGIT_COPIES * 4 * min(learner.logit_chunk, tokens * shape.vocabulary),
        decoding_copy=size * n,
        kv_cache=2 * shape.layers * shape.kv_width * size * rows * row,
    )


def _kept(shape: Shape, recipe: Recipe) -> int:
    """Bytes of a token that the backward pass needs."""
    layer = shape.layer_values * KEPT_BYTES[recipe.learner.dtype]
    if recipe.learner.gradient_checkpointing:  # each layer's input, and one layer recomputed
        return shape.layers * shape.hidden * 4 + layer
    return shape.layers * layer
