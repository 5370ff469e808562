"""What of a plan does not fit its GPUs, and what would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srpo.recipe.schema import Recipe
from srpo.run.memory import estimate, longest_row
from srpo.run.plan import GB, OVERHEAD, Plan, engine_plan

SPLITS = (2, 4, 8)  # GPUs of one node
RANKS = (2, 4, 8, 16, 32, 64, 128)
Change = tuple[str, Any]  # a field of the learner's, and its value


def problems(plan: Plan) -> list[str]:
    """One line each, with the field, the value and the fix; empty when all fits."""
    return [*_learner(plan), *_engine(plan), *_turns(plan)]


def notes(plan: Plan) -> list[str]:
    """What fits and may yet surprise."""
    return list(_notes(plan))


def _learner(plan: Plan) -> Iterator[str]:
    there, needed = plan.assumed.gpu.memory, _learning(plan, plan.recipe)
    if needed <= there:
        return
    alone = [c for c in (*_mild(plan), *_strong(plan)) if _suffice(plan, [c])]
    ranks = next((r for r in _ranks(plan) if _suffice(plan, [r])), None)
    texts = [_text(c) for c in (*alone, *([ranks] if ranks else []))]
    if texts:
        fix = f"set {', or '.join(texts)}"
    elif several := _together(plan):
        fix = f"set {', '.join(map(_text, several))} together"
    else:
        fix = "take larger GPUs, or adapters (learner.lora)"
    yield (
        f"learner: {_gb(needed)} on each of its {plan.learner_gpus} GPUs while it learns, but an"
        f" {plan.assumed.gpu.name} has {_gb(there)}; {fix}"
    )


def _mild(plan: Plan) -> list[Change]:
    """What costs no more than some time."""
    learner, row = plan.recipe.learner, longest_row(plan.recipe, plan.recipe.data.max_prompt_tokens)
    return [
        *([("gradient_checkpointing", True)] if not learner.gradient_checkpointing else []),
        *([("micro_batch_tokens", row)] if learner.micro_batch_tokens > row else []),
        *([("logit_chunk", 2**24)] if learner.logit_chunk > 2**24 else []),
    ]


def _strong(plan: Plan) -> list[Change]:
    """What changes the optimizer."""
    learner = plan.recipe.learner
    return [
        *([("optimizer", "adamw8bit")] if learner.optimizer == "adamw" else []),
        *([("offload", True)] if not learner.offload else []),
    ]


def _ranks(plan: Plan) -> list[Change]:
    return [("ranks", ranks) for ranks in RANKS if ranks > plan.recipe.learner.ranks]


def _together(plan: Plan) -> list[Change]:
    """The first of the mild changes that do together, and if need be with more ranks."""
    mild = _mild(plan)
    tried = [mild[:n] for n in range(2, len(mild) + 1)]
    tried += [[*mild, ranks] for ranks in _ranks(plan)]
    return next((changes for changes in tried if _suffice(plan, changes)), [])


def _suffice(plan: Plan, changes: list[Change]) -> bool:
    return _learning(plan, _with(plan.recipe, "learner", dict(changes))) <= plan.assumed.gpu.memory


def _text(change: Change) -> str:
    name, value = change
    return f"learner.{name}={str(value).lower() if isinstance(value, bool) else value}"


def _engine(plan: Plan) -> Iterator[str]:
    rollout, shape = plan.recipe.rollout, plan.shape
    if shape.heads % rollout.tensor_parallel:
        yield (
            f"rollout.tensor_parallel: {rollout.tensor_parallel} does not divide the model's"
            f" {shape.heads} attention heads; take a number that does"
        )
    row = longest_row(plan.recipe, plan.recipe.data.max_prompt_tokens)
    if plan.engine.kv_tokens >= row:
        return
    would = [
        f"rollout.tensor_parallel={n}"
        for n in SPLITS
        if n > rollout.tensor_parallel
        and shape.heads % n == 0
        and _kv_tokens(plan, {"tensor_parallel": n}) >= row
    ][:1]
    if not plan.shared and _kv_tokens(plan, {"gpu_memory_utilization": 0.9}) >= row:
        would.append("rollout.gpu_memory_utilization=0.9")
    e = plan.engine
    yield (
        f"rollout: {_gb(e.weights + e.reserve)} of weights and buffers on each of an engine's GPUs"
        f" and the KV cache of one response of full length ({row:,} tokens,"
        f" {_gb(row * e.kv_bytes)}) are more than the {_gb(e.budget)} that"
        f" rollout.gpu_memory_utilization {rollout.gpu_memory_utilization:g} gives; "
        + ("set " + ", or ".join(would) if would else "take larger GPUs or more of each")
    )


def _turns(plan: Plan) -> Iterator[str]:
    """Where engine and learner share a GPU, while the engine decodes."""
    if not plan.shared:
        return
    there, kept = plan.assumed.gpu.memory, plan.memory.kept
    needed = kept + plan.engine.budget + OVERHEAD
    if needed <= there:
        return
    share = int((there - kept - OVERHEAD) / there * 100) / 100
    if plan.recipe.rollout.engine == "transformers":
        fix = "lower rollout.max_rows"
    elif share > 0:
        fix = f"set rollout.gpu_memory_utilization={share:g} at most"
    else:
        fix = "give the engines GPUs of their own (rollout.placement=process, rollout.engines)"
    yield (
        f"rollout: the engine's {_gb(plan.engine.budget)} beside the {_gb(kept)} that the learner"
        f" keeps are more than the {_gb(there)} of an {plan.assumed.gpu.name}; {fix}"
    )


def _notes(plan: Plan) -> Iterator[str]:
    recipe, engine = plan.recipe, plan.engine
    row = longest_row(recipe, recipe.data.max_prompt_tokens)
    if recipe.learner.micro_batch_tokens < row:
        yield (
            f"learner.micro_batch_tokens {recipe.learner.micro_batch_tokens:,} is less than a row"
            f" of full length, {row:,}: such a row is learnt from alone"
        )
    wanted = recipe.rollout.max_rows * plan.assumed.row
    if 0 < engine.rows < recipe.rollout.max_rows and engine.kv_tokens < wanted:
        yield (
            f"rollout.max_rows is {recipe.rollout.max_rows}, but the KV cache of an engine holds"
            f" {engine.rows} responses of the mean length: the others wait"
        )
    if recipe.rollout.engine == "transformers" and plan.assumed.decode_tokens_per_s is None:
        yield (
            "rollout.engine transformers launches each operation from Python and is far slower than"
            " the memory's speed allows; give --decode-tokens-per-s, or set rollout.engine=vllm"
        )
    if not plan.shared and not recipe.rollout.ahead:
        together = max(plan.rollout_s, plan.learn_s)
        yield (
            "engines and learner wait for each other; with rollout.ahead=1 a step would take"
            f" {together:,.0f} s"
        )


def _learning(plan: Plan, recipe: Recipe) -> int:
    longest = recipe.data.max_prompt_tokens
    return estimate(recipe, plan.shape, longest, gpu=True).learning + OVERHEAD


def _kv_tokens(plan: Plan, change: dict[str, Any]) -> int:
    return engine_plan(_with(plan.recipe, "rollout", change), plan.shape, plan.assumed).kv_tokens


def _with(recipe: Recipe, section: str, change: dict[str, Any]) -> Recipe:
    changed = getattr(recipe, section).model_copy(update=change)
    return recipe.model_copy(update={section: changed})


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
