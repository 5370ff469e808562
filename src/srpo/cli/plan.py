"""`srpo plan`: what a run asks of its GPUs, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srpo.cli.common import Overrides

if TYPE_CHECKING:
    from srpo.run.plan import Plan

GB = 10**9


def plan(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A .yaml file, or a name of `srpo recipes`.")
    ],
    overrides: Overrides = None,
    gpu: Annotated[
        str, typer.Option(help="A100 80GB, H100 80GB, H200 141GB, L4 24GB or RTX4090 24GB.")
    ] = "H100 80GB",
    model_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The model's config.json, where it is not at hand."),
    ] = None,
    response_tokens: Annotated[
        float | None,
        typer.Option(min=1, help="Mean length of a response; default: half of max_new_tokens."),
    ] = None,
    prompt_tokens: Annotated[
        float | None,
        typer.Option(min=0, help="Mean length of a prompt; default: a quarter of the longest."),
    ] = None,
    informative: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the groups that are learnt from.")
    ] = 1.0,
    mfu: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of the GPU's FLOP/s that is reached.")
    ] = 0.4,
    decode_tokens_per_s: Annotated[
        float | None,
        typer.Option(min=0.1, help="Of an engine's GPU; default: from its memory's bandwidth."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Memory per GPU, tokens and seconds a step, from the model's shape alone; nothing is loaded.

    Exits with 1 when something does not fit."""
    from dataclasses import replace

    from srpo.recipe.load import load_recipe
    from srpo.run.fit import notes, problems
    from srpo.run.gpus import find_gpu
    from srpo.run.plan import assume, make_plan, shape_of

    resolved = load_recipe(recipe, overrides)
    assumed = replace(
        assume(resolved, find_gpu(gpu), response_tokens, prompt_tokens),
        informative=informative,
        mfu=mfu,
        decode_tokens_per_s=decode_tokens_per_s,
    )
    found = make_plan(resolved, shape_of(resolved.model, model_config), assumed)
    wrong, said = problems(found), notes(found)
    if as_json:
        _print_json(found, wrong, said)
    else:
        _show(found, wrong, said)
    raise typer.Exit(1 if wrong else 0)


def _print_json(found: Plan, wrong: list[str], said: list[str]) -> None:
    import json
    from dataclasses import asdict

    from srpo.run.plan import OVERHEAD

    tree: dict[str, Any] = asdict(found)
    tree["recipe"] = found.recipe.model_dump(mode="json")
    tree["memory"] |= {
        "overhead": OVERHEAD,
        "learning": found.memory.learning,
        "decoding": found.memory.kept + found.engine.budget if found.shared else None,
    }
    if found.rollout_s == float("inf"):  # no row fits: JSON has no infinity
        tree |= {"rollout_s": None, "step_s": None, "run_s": None}
    typer.echo(json.dumps(tree | {"problems": wrong, "notes": said}, indent=1))


def _show(found: Plan, wrong: list[str], said: list[str]) -> None:
    from rich.console import Console

    from srpo.report.sheet import Sheet, rich_table

    console = Console(highlight=False)
    shared = ", and they take turns" if found.shared else ""
    _say(
        f"{found.recipe.model}: {found.parameters:,} parameters"
        + (f", {found.trained:,} of adapters learn" if found.trained < found.parameters else "")
        + f"; {found.gpus} x {found.assumed.gpu.name}: {found.learner_gpus} for the learner,"
        f" {found.engine_gpus} for {_count(found.recipe.rollout.engines, 'engine')}{shared}"
    )
    typer.echo()
    for title, unit, rows in (
        ("A GPU of the learner", "GB", _learner_rows(found)),
        ("A GPU of the engines", "GB", _engine_rows(found)),
        ("An engine", "", _capacity_rows(found)),
        ("A step", "", _step_rows(found)),
    ):
        console.print(rich_table(Sheet(title, ["", unit], rows)), "")
    for text in _assumed(found):
        _say(text)
    typer.echo()
    for text in said:
        _say(f"note: {text}")
    for text in wrong:
        _say(f"DOES NOT FIT: {text}")
    if not wrong:
        _say("it fits, by this arithmetic; nothing was measured")


def _learner_rows(found: Plan) -> list[list[str]]:
    from srpo.run.plan import OVERHEAD

    memory = found.memory
    parts = {
        "weights": memory.weights,
        "the optimizer's moments": memory.moments,
        "reference copy (loss.kl_coef)": memory.reference,
        "gradients": memory.gradients,
        "layers at work, whole": memory.unsharded,
        "activations": memory.activations,
        "logits": memory.logits,
        "the engine's copy of the weights": 0 if memory.sleeps else memory.decoding_copy,
        "CUDA and fragments, about": OVERHEAD,
        "in all, while learning": memory.learning + OVERHEAD,
        "of": found.assumed.gpu.memory,
    }
    return [[name, _size(count)] for name, count in parts.items() if count]


def _engine_rows(found: Plan) -> list[list[str]]:
    engine = found.engine
    limit = " (rollout.gpu_memory_utilization)" if engine.reserve else ""
    parts = {
        "weights": engine.weights,
        "activations, sampling, CUDA graphs, about": engine.reserve,
        "KV cache": max(engine.budget - engine.weights - engine.reserve, 0),
        f"in all{limit}": engine.budget,
        "what the learner keeps there meanwhile": found.memory.kept if found.shared else 0,
        "of": found.assumed.gpu.memory,
    }
    return [[name, _size(count)] for name, count in parts.items() if count]


def _capacity_rows(found: Plan) -> list[list[str]]:
    engine, split = found.engine, found.recipe.rollout.tensor_parallel
    return [
        ["GPUs", f"{split}"],
        ["KV bytes of a token", f"{engine.kv_bytes * split:,}"],
        ["tokens in its KV cache", f"{engine.kv_tokens:,}"],
        ["responses of mean length side by side", f"{engine.rows:,}"],
        ["tokens/s of a GPU", f"{engine.decode_tokens_per_s:,.0f}"],
    ]


def _step_rows(found: Plan) -> list[list[str]]:
    from srpo.report.plain import duration

    def seconds(count: float) -> str:
        return "never" if count == float("inf") else f"{count:,.0f} s"

    how = "the longer of the two" if found.recipe.rollout.ahead else "one after the other"
    whole = found.run_s != float("inf")
    rows = [
        ["responses", f"{found.tokens / found.assumed.response_tokens:,.0f}"],
        ["tokens generated", f"{found.tokens:,}"],
        ["tokens learnt from, prompts included", f"{found.learnt_tokens:,}"],
        ["sampling", seconds(found.rollout_s)],
        ["learning", seconds(found.learn_s)],
        [f"a step, {how}", seconds(found.step_s)],
        [f"{found.recipe.max_steps} steps", duration(found.run_s) if whole else "never"],
        ["GPU hours of them", f"{found.gpus * found.run_s / 3600:,.0f}" if whole else "never"],
        ["weights to each engine", f"{_size(found.sync)} GB"],
        ["a checkpoint", f"{_size(found.checkpoint)} GB"],
        ["its responses in host memory", f"{_size(found.rollouts)} GB"],
    ]
    if found.host:
        rows.append(["moments in host memory, of all ranks", f"{_size(found.host)} GB"])
    return rows


def _assumed(found: Plan) -> list[str]:
    """What the figures rest on."""
    assumed, gpu = found.assumed, found.assumed.gpu
    speed = f"{gpu.bandwidth / 1e12:g} TB/s of which decoding reaches {assumed.bandwidth_share:.0%}"
    if assumed.decode_tokens_per_s is not None:
        speed = f"{assumed.decode_tokens_per_s:,.0f} tokens/s decoded (--decode-tokens-per-s)"
    return [
        f"assumed: responses of {assumed.response_tokens:,.0f} tokens (--response-tokens) to"
        f" prompts of {assumed.prompt_tokens:,.0f} (--prompt-tokens);"
        f" {assumed.informative:.0%} of the groups are learnt from (--informative)",
        f"assumed: {gpu.name} (--gpu): {_size(gpu.memory)} GB, {gpu.flops / 1e12:,.0f} TFLOP/s in"
        f" bfloat16 of which learning reaches {assumed.mfu:.0%} (--mfu), {speed}",
        "left out: verification, evaluation, checkpoints, sending the weights",
    ]


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _size(count: int) -> str:
    return f"{count / GB:.1f}" if count >= GB else f"{count / GB:.3g}"


def _say(text: str) -> None:
    """One line; names may hold anything."""
    from srpo.report.plain import one_line

    typer.echo(one_line(text, 1000))
