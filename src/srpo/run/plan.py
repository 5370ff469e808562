"""What a run asks of its GPUs and how long a step takes, before anything starts: `srpo plan`.

Arithmetic on the model's shape, the recipe and a few assumptions, which are all stated. Nothing is
loaded. Sizes are bytes, times seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from srpo.models import outline
from srpo.recipe.schema import Recipe
from srpo.run.gpus import Gpu
from srpo.run.memory import (
    BYTES,
    Memory,
    Shape,
    estimate,
    host_moments,
    longest_row,
    saved_bytes,
    takes_turns,
    trained_parameters,
)
from srpo.types import UserError

GB = 10**9
# What vLLM takes beside weights and KV cache: activations, sampling, CUDA graphs; and the buffers
# of NCCL where an engine is split.
ENGINE_RESERVE, SPLIT_RESERVE = 3 * GB, 1 * GB
OVERHEAD = 2 * GB  # of CUDA itself and fragments, on a learner's GPU
RESPONSE_SHARE, PROMPT_SHARE = 0.5, 0.25  # of what the recipe allows, where nobody says more
TOKEN_BYTES = 4 + 4  # of a rollout's arrays: an int32 id and a float32 log-probability


@dataclass(frozen=True)
class Assumptions:
    """What a recipe does not say.

    gpu                  of every kind of process
    response_tokens      mean length of a response
    prompt_tokens        mean length of a prompt
    informative          share of the groups that are learnt from
    mfu                  share of the GPU's bfloat16 FLOP/s that is reached
    bandwidth_share      share of the memory's bytes per second that decoding reaches
    decode_tokens_per_s  of one GPU of an engine; None: from bandwidth and FLOP/s
    """

    gpu: Gpu
    response_tokens: float
    prompt_tokens: float
    informative: float = 1.0
    mfu: float = 0.4
    bandwidth_share: float = 0.5
    decode_tokens_per_s: float | None = None

    @property
    def row(self) -> float:
        """Mean tokens of a prompt with its response."""
        return self.prompt_tokens + self.response_tokens

    @property
    def row_in_flight(self) -> float:
        """The same while it is decoded, when half of the response is there."""
        return self.prompt_tokens + self.response_tokens / 2


@dataclass(frozen=True)
class EnginePlan:
    """Of one engine; bytes are those on each of its `tensor_parallel` GPUs.

    weights, reserve     beside the KV cache
    budget               all that it may take
    kv_bytes             of one token
    kv_tokens            that the engine holds
    rows                 that it decodes side by side at the mean length
    decode_tokens_per_s  of a GPU
    """

    weights: int
    reserve: int
    budget: int
    kv_bytes: int
    kv_tokens: int
    rows: int
    decode_tokens_per_s: float


@dataclass(frozen=True)
class Plan:
    """What a run takes.

    parameters, trained   of the model; those of them, or of its adapters, that learn
    shared                whether engines and learner take turns on the same GPUs
    learner_gpus, engine_gpus, gpus   how many, and how many in all
    memory                on a GPU of the learner, with the engine's where they share it
    sync                  weights sent to each engine after a step
    checkpoint            on disk, each; there are up to checkpoint.keep + 1
    host                  moments in the learners' host memory, of all of them together
    rollouts              a step's responses in the driver's memory
    tokens                generated in a step
    learnt_tokens         that the learner computes with, prompts included
    rollout_s, learn_s, step_s, run_s   the parts of a step, a step, max_steps of them
    """

    recipe: Recipe
    shape: Shape
    assumed: Assumptions
    parameters: int
    trained: int
    shared: bool
    learner_gpus: int
    engine_gpus: int
    gpus: int
    memory: Memory
    engine: EnginePlan
    sync: int
    checkpoint: int
    host: int
    rollouts: int
    tokens: int
    learnt_tokens: int
    rollout_s: float
    learn_s: float
    step_s: float
    run_s: float


def shape_of(model: str, config: Path | None = None) -> Shape:
    """A model's shape from its config alone: that file's, or a shipped one where the model is of
    the hub and its shape is here, or else the model's own. Raises UserError."""
    if config is not None:
        folder = config.parent if config.name == "config.json" else config
        if not (folder / "config.json").is_file():
            raise UserError(
                f"--model-config: {str(config)!r} is no config.json; give one, or its folder"
            )
        return Shape.of(*outline(f"{folder.absolute()}"))
    owner, _, name = model.partition("/")
    shipped = resources.files("srpo.recipe") / "shapes" / name
    is_shipped = owner == "Qwen" and (shipped / "config.json").is_file()
    return Shape.of(*outline(str(shipped) if is_shipped and not Path(model).exists() else model))


def assume(recipe: Recipe, gpu: Gpu, response: float | None, prompt: float | None) -> Assumptions:
    """With mean lengths that are a share of what the recipe allows, where none are given."""
    return Assumptions(
        gpu=gpu,
        response_tokens=response or RESPONSE_SHARE * recipe.rollout.max_new_tokens,
        prompt_tokens=PROMPT_SHARE * recipe.data.max_prompt_tokens if prompt is None else prompt,
    )


def make_plan(recipe: Recipe, shape: Shape, assumed: Assumptions) -> Plan:
    """All of it."""
    rollout, ranks = recipe.rollout, recipe.learner.ranks
    rows = recipe.sampler.prompts_per_step * rollout.group_size
    shared, engine_gpus = takes_turns(recipe), rollout.engines * rollout.tensor_parallel
    engine = engine_plan(recipe, shape, assumed)
    sampling = rollout_seconds(recipe, shape, assumed, engine)
    learning = learn_seconds(recipe, shape, assumed)
    step = max(sampling, learning) if rollout.ahead else sampling + learning
    return Plan(
        recipe=recipe,
        shape=shape,
        assumed=assumed,
        parameters=shape.parameters,
        trained=trained_parameters(recipe, shape),
        shared=shared,
        learner_gpus=ranks,
        engine_gpus=engine_gpus,
        gpus=max(ranks, engine_gpus) if shared else ranks + engine_gpus,
        memory=estimate(recipe, shape, recipe.data.max_prompt_tokens, gpu=True),
        engine=engine,
        sync=BYTES[recipe.learner.dtype] * shape.parameters,
        checkpoint=saved_bytes(recipe, shape),
        host=host_moments(recipe, shape),
        rollouts=round(TOKEN_BYTES * rows * assumed.response_tokens),
        tokens=round(rows * assumed.response_tokens),
        learnt_tokens=round(rows * assumed.informative * assumed.row),
        rollout_s=sampling,
        learn_s=learning,
        step_s=step,
        run_s=step * recipe.max_steps,
    )


def engine_plan(recipe: Recipe, shape: Shape, assumed: Assumptions) -> EnginePlan:
    """What one engine holds, and how fast it decodes."""
    rollout, dtype = recipe.rollout, recipe.learner.dtype
    split = rollout.tensor_parallel
    weights = BYTES[dtype] * shape.parameters // split
    kv = shape.kv_bytes_a_gpu(dtype, split)
    if rollout.engine == "vllm":
        reserve = ENGINE_RESERVE + (SPLIT_RESERVE if split > 1 else 0)
        budget = int(rollout.gpu_memory_utilization * assumed.gpu.memory)
    else:  # a cache as large as max_rows of full length need
        reserve = 0
        side_by_side = min(rollout.max_rows, _requests(recipe))
        budget = weights + kv * side_by_side * longest_row(recipe, recipe.data.max_prompt_tokens)
    tokens = max(budget - weights - reserve, 0) // kv
    most = min(rollout.max_rows, _requests(recipe))
    rate = assumed.decode_tokens_per_s
    if rate is None:
        in_flight = min(most, tokens / assumed.row_in_flight)
        rate = _decode_rate(shape, assumed, weights, kv, in_flight, split)
    return EnginePlan(
        weights, reserve, budget, kv, tokens, min(most, int(tokens / assumed.row)), rate
    )


def _requests(recipe: Recipe) -> int:
    """Responses that a step asks of an engine."""
    asked = recipe.sampler.prompts_per_step * recipe.rollout.group_size
    return -(-asked // recipe.rollout.engines)


def _decode_rate(
    shape: Shape, assumed: Assumptions, weights: int, kv: int, rows: float, split: int
) -> float:
    """Tokens per second and GPU: each token of the `rows` reads the weights once for all of them,
    and each row's keys and values; or the multiplications take longer than that."""
    gpu = assumed.gpu
    reading = (weights + rows * assumed.row_in_flight * kv) / gpu.bandwidth
    computing = 2 * shape.parameters * rows / split / gpu.flops
    return rows / max(reading / assumed.bandwidth_share, computing / assumed.mfu) / split


def rollout_seconds(
    recipe: Recipe, shape: Shape, assumed: Assumptions, engine: EnginePlan
) -> float:
    """To sample a step's responses; infinite where no row fits. Not less than one response of full
    length takes alone."""
    rollout = recipe.rollout
    tokens = recipe.sampler.prompts_per_step * rollout.group_size * assumed.response_tokens
    rate = engine.decode_tokens_per_s * rollout.engines * rollout.tensor_parallel
    seconds = tokens / rate if rate else float("inf")
    if assumed.decode_tokens_per_s is not None:
        return seconds
    token = engine.weights / assumed.gpu.bandwidth / assumed.bandwidth_share
    return max(seconds, rollout.max_new_tokens * token)


def learn_seconds(recipe: Recipe, shape: Shape, assumed: Assumptions) -> float:
    """To learn from a step's informative groups."""
    rows = recipe.sampler.prompts_per_step * recipe.rollout.group_size * assumed.informative
    speed = recipe.learner.ranks * assumed.gpu.flops * assumed.mfu
    return rows * row_flops(recipe, shape, assumed.row) / speed


def row_flops(recipe: Recipe, shape: Shape, tokens: float) -> float:
    """Of a row in a step: 2 for each weight and token in a forward pass, twice as many in the
    backward pass (once where the weights are frozen); and causal attention's products, of queries
    with keys and of weights with values."""
    learner = recipe.learner
    forward = 1 + learner.gradient_checkpointing + (recipe.loss.kl_coef > 0)
    forward += learner.updates_per_step > 1
    backward = 2 if learner.lora is None else 1
    query = shape.heads * (shape.kv_width // shape.kv_heads)
    attention = 2 * shape.layers * query * tokens**2  # half of 4, since causal
    return (forward + backward) * 2 * shape.parameters * tokens + (forward + 2) * attention
