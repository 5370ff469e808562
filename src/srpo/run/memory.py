"""How much memory a run will take: arithmetic on the shape of the model and the recipe's sizes.

An estimate: what frameworks keep for themselves (CUDA, fragments, the sandbox) comes on top, and
the activations are those of a Llama-like layer. `srpo check` and `srpo plan` both go by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srpo.recipe.schema import LoraConfig, Recipe

BYTES = {"float32": 4, "bfloat16": 2}
# Of a layer's activations: in mixed precision the norms and the residual stream stay float32.
KEPT_BYTES = {"float32": 4, "bfloat16": 3}
LOGIT_COPIES = 3  # logits, their softmax, its gradient
# Of a trained value: AdamW's two in float32; in 8 bits with a scale for each block of 256 (arXiv
# 2110.02861).
MOMENT_BYTES = {"adamw": 8.0, "adamw8bit": 2 * (1 + 4 / 256)}


@dataclass(frozen=True)
class Shape:
    """What of a model decides about memory."""

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    kv_width: int  # key-value heads x head size
    vocabulary: int
    heads: int = 1
    kv_heads: int = 1
    tied: bool = False  # whether embedding and output layer are one matrix

    @classmethod
    def of(cls, config: Any, parameters: int) -> Shape:
        """From the text part of a transformers config; unusual models are taken for usual ones."""
        hidden = int(config.hidden_size)
        heads = int(getattr(config, "num_attention_heads", None) or 1)
        kv_heads = int(getattr(config, "num_key_value_heads", None) or heads)
        head = int(getattr(config, "head_dim", None) or hidden // heads)
        inner = int(getattr(config, "intermediate_size", None) or 4 * hidden)
        layers, vocabulary = int(config.num_hidden_layers), int(config.vocab_size)
        tied = bool(getattr(config, "tie_word_embeddings", False))
        return cls(
            *(parameters, layers, hidden, inner, kv_heads * head, vocabulary),
            *(heads, kv_heads, tied),
        )

    @property
    def head_parameters(self) -> int:
        """Of the output layer, and of the embedding: they are units of their own when the model is
        split."""
        return self.vocabulary * self.hidden

    @property
    def layer_parameters(self) -> int:
        """Of one layer: all that is neither embedding nor output layer is in the layers."""
        ends = (1 if self.tied else 2) * self.head_parameters
        return max(self.parameters - ends, 0) // self.layers

    def kv_bytes(self, dtype: str) -> int:
        """Bytes of a token's keys and values in all layers."""
        return 2 * self.layers * self.kv_width * BYTES[dtype]

    def kv_bytes_a_gpu(self, dtype: str, tensor_parallel: int) -> int:
        """The same on each GPU of an engine that is split: by heads, of which each has one at
        least."""
        heads = max(self.kv_heads // tensor_parallel, 1)
        return self.kv_bytes(dtype) * heads // self.kv_heads

    @property
    def layer_values(self) -> int:
        """Values of one token that a layer keeps for its backward pass: the inputs of both norms
        and what they make of them, query, attention's and the two projections' results, keys and
        values; the MLP's gate, its activation, the other half and their product."""
        return 8 * self.hidden + 2 * self.kv_width + 4 * self.intermediate


@dataclass(frozen=True)
class LearnerMemory:
    """Bytes on each GPU of the learner, by what they are for."""

    weights: int
    moments: int
    reference: int
    gradients: int
    unsharded: int  # layers on their way through the rank, where the model is split
    activations: int
    logits: int

    @property
    def kept(self) -> int:
        """What is there all the time."""
        return self.weights + self.moments + self.reference

    @property
    def learning(self) -> int:
        """While it learns."""
        return self.kept + self.gradients + self.unsharded + self.activations + self.logits


@dataclass(frozen=True)
class Memory(LearnerMemory):
    """The same with those of an engine on the same GPU, and 0 where there is none."""

    decoding_copy: int
    kv_cache: int
    sleeps: bool = False  # whether the engine gives its memory back while the learner learns

    @property
    def learning(self) -> int:
        """While the learner learns; the copy of an engine that does not sleep stays."""
        return super().learning + (0 if self.sleeps else self.decoding_copy)

    @property
    def decoding(self) -> int:
        """While the engine decodes; gradients and activations are gone."""
        return self.kept + self.decoding_copy + self.kv_cache

    @property
    def peak(self) -> int:
        """The larger of the two."""
        return max(self.learning, self.decoding)


def estimate(recipe: Recipe, shape: Shape, longest: int, gpu: bool = False) -> Memory:
    """What each process of the learner will take, of a GPU or of a machine without any; `longest`
    is the longest prompt, in tokens."""
    rollout, dtype = recipe.rollout, recipe.learner.dtype
    row = longest_row(recipe, longest)
    rows = max(min(rollout.max_rows, _asked(recipe)), rollout.group_size)
    here = takes_turns(recipe) or not gpu  # a machine without GPUs has one memory
    return Memory(
        **vars(learner_memory(recipe, shape, longest)),
        decoding_copy=BYTES[dtype] * shape.parameters // rollout.tensor_parallel if here else 0,
        kv_cache=shape.kv_bytes_a_gpu(dtype, rollout.tensor_parallel) * rows * row if here else 0,
        sleeps=gpu and rollout.engine == "vllm",
    )


def learner_memory(recipe: Recipe, shape: Shape, longest: int) -> LearnerMemory:
    """Of one of `learner.ranks` processes that share the model (FSDP2: each holds its shard of
    weights, gradients and moments, and the layers at work whole for as long as they are)."""
    learner, ranks = recipe.learner, recipe.learner.ranks
    n, trained = shape.parameters, trained_parameters(recipe, shape)
    low, adapters = BYTES[learner.dtype], learner.lora is not None
    row = longest_row(recipe, longest)
    tokens = max(min(learner.micro_batch_tokens, _asked(recipe) * row), row)
    # Where the model is split its casts are the layers at work; adapters leave it as it is saved.
    casts = low * trained if low < 4 and ranks == 1 else 0
    return LearnerMemory(
        weights=((low * n if adapters else 0) + 4 * trained) // ranks,
        moments=0 if learner.offload else _moments(recipe, trained) // ranks,
        reference=4 * n // ranks if recipe.loss.kl_coef > 0 and not adapters else 0,
        gradients=4 * trained // ranks,
        unsharded=_unsharded(shape, low, adapters) if ranks > 1 else 0,
        activations=casts + tokens * _kept(shape, recipe),
        logits=LOGIT_COPIES * 4 * min(learner.logit_chunk, tokens * shape.vocabulary),
    )


def host_moments(recipe: Recipe, shape: Shape) -> int:
    """Bytes of moments that all ranks together keep in host memory (learner.offload)."""
    trained = trained_parameters(recipe, shape)
    return _moments(recipe, trained) if recipe.learner.offload else 0


def saved_bytes(recipe: Recipe, shape: Shape) -> int:
    """Of a checkpoint: what learns in float32, and its moments."""
    trained = trained_parameters(recipe, shape)
    return 4 * trained + _moments(recipe, trained)


def trained_parameters(recipe: Recipe, shape: Shape) -> int:
    """All of the model's, or those of its adapters."""
    lora = recipe.learner.lora
    return shape.parameters if lora is None else _adapters(shape, lora)


def longest_row(recipe: Recipe, longest: int) -> int:
    """Tokens of a prompt of that length with the longest response that may follow."""
    return longest + max(recipe.rollout.max_new_tokens, recipe.eval.max_new_tokens or 0)


def takes_turns(recipe: Recipe) -> bool:
    """Whether each engine shares its GPUs with the learner, and not a GPU is the engines' own."""
    rollout = recipe.rollout
    if rollout.placement == "server" or rollout.ahead:
        return False
    split = recipe.learner.ranks * rollout.engines * rollout.tensor_parallel > 1
    return rollout.placement == "colocated" or not split


def _asked(recipe: Recipe) -> int:
    """Responses of a step."""
    return recipe.sampler.prompts_per_step * recipe.rollout.group_size


def _moments(recipe: Recipe, trained: int) -> int:
    return round(MOMENT_BYTES[recipe.learner.optimizer] * trained)


def _unsharded(shape: Shape, low: int, adapters: bool) -> int:
    """Bytes of what is whole at the most: a layer and the next one, fetched ahead, in the precision
    of computation; the output layer; and the float32 gradients of a layer and of the output layer
    on their way to the others. Frozen weights have no gradient."""
    layer, head = shape.layer_parameters, shape.head_parameters
    return low * (2 * layer + head) + (0 if adapters else 4 * (layer + head))


def _adapters(shape: Shape, lora: LoraConfig) -> int:
    """Parameters of two matrices, in x rank and rank x out, beside each layer that gets them."""
    hidden, inner, keys = shape.hidden, shape.intermediate, shape.kv_width
    query = shape.heads * (keys // shape.kv_heads)
    widths = {  # in + out, by the names of a Llama-like layer
        "q_proj": hidden + query,
        "k_proj": hidden + keys,
        "v_proj": hidden + keys,
        "o_proj": query + hidden,
        "gate_proj": hidden + inner,
        "up_proj": hidden + inner,
        "down_proj": inner + hidden,
    }
    names = widths if lora.targets == "all-linear" else lora.targets
    return shape.layers * lora.rank * sum(widths.get(name, 0) for name in names)


def _kept(shape: Shape, recipe: Recipe) -> int:
    """Bytes of a token that the backward pass needs."""
    learner = recipe.learner
    kept, stream = KEPT_BYTES[learner.dtype], 4
    if learner.dtype == "bfloat16" and (learner.ranks > 1 or learner.lora is not None):
        kept = stream = 2  # the weights themselves are bfloat16 there, and so is all they make
    layer = shape.layer_values * kept
    if learner.gradient_checkpointing:  # each layer's input, and one layer recomputed
        return shape.layers * shape.hidden * stream + layer
    return shape.layers * layer
