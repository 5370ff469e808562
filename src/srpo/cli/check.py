"""`srpo check`: what a run would do, before it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srpo.cli.common import Overrides

if TYPE_CHECKING:
    from srpo.recipe.schema import Recipe
    from srpo.run.check import BaseRate, Earned, SourceCheck

GB = 10**9


def check(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A .yaml file, or a name of `srpo recipes`.")
    ],
    overrides: Overrides = None,
    sample: Annotated[
        int,
        typer.Option(
            "--sample",
            metavar="N",
            min=0,
            help="Ask the model N prompts of each source, as training would: its pass rate.",
        ),
    ] = 0,
) -> None:
    """Load all that a run would, and show prompts, rewards and memory; nothing is written."""
    from srpo.recipe.load import load_recipe

    resolved = load_recipe(recipe, overrides)
    from srpo.observer import Observer
    from srpo.run.check import check_sources, new_folder, opened_parts

    class Told(Observer):
        def message(self, text: str) -> None:
            _say(text)

    _show_memory(resolved)
    bad = 0
    with opened_parts(resolved, Told()) as parts:
        for found in check_sources(parts, sample):
            _show_source(found)
            bad += len(found.refused) + found.wrong_passes
    typer.echo()
    if not new_folder(resolved).missing:
        _say(f"{resolved.output_dir} already holds a run: set output_dir before you train")
    if bad:
        _say(f"the recipe can be trained, but {bad} answers are judged otherwise than they should")
    else:
        _say("the recipe can be trained")
    raise typer.Exit(1 if bad else 0)


def _show_memory(recipe: Recipe) -> None:
    from rich.console import Console

    from srpo.report.sheet import Sheet, rich_table
    from srpo.run.check import memory_of

    found, there = memory_of(recipe)
    parts = {
        "weights (float32)": found.weights,
        "AdamW's moments": found.moments,
        "reference copy (loss.kl_coef)": found.reference,
        "the engine's copy of the weights": found.decoding_copy,
        "gradients, while learning": found.gradients,
        "layers at work, whole, while learning": found.unsharded,
        "activations, while learning": found.activations,
        "logits, while learning": found.logits,
        "KV cache, while decoding": found.kv_cache,
        "in all, while learning": found.learning,
        "in all, while decoding": found.decoding,
    }
    rows = [[name, _size(count)] for name, count in parts.items() if count]
    Console(highlight=False).print(rich_table(Sheet("Memory, estimated", ["for", "GB"], rows)))
    share = recipe.rollout.gpu_memory_utilization
    if recipe.rollout.engine == "vllm":
        _say(f"vLLM takes {share:.0%} of its GPU while it decodes, for copy and KV cache together")
    if there is not None:
        few = found.peak > there
        _say(
            f"the device has {_size(there)} GB"
            + ("; lower learner.micro_batch_tokens or rollout.max_rows" if few else "")
        )
    typer.echo()


def _size(count: int) -> str:
    return f"{count / GB:.2f}" if count >= GB / 10 else f"{count / GB:.4f}"


def _show_source(found: SourceCheck) -> None:
    from srpo.report.plain import printable

    typer.echo()
    _say(f"{found.name} · {found.domain} · {found.problems} problems")
    _say(f"  the prompt of {found.problem.id}, {found.tokens} tokens:")
    for line in found.prompt.split("\n"):
        typer.echo(f"  | {printable(line)}")
    if found.right is None:
        _say("  the correct answer is not known: the row has no reference program")
    else:
        _show_earned("a correct answer", found.right)
    _show_earned("a wrong one", found.wrong)
    if found.wrong_passes:
        _say("  A WRONG ANSWER COUNTS AS CORRECT: look at its tests, or at your verifier")
    _show_golds(found)
    if found.base:
        _say(f"  {_base(found.base)}")


def _show_earned(what: str, earned: Earned) -> None:
    verdict, reward = earned.verdict, earned.reward
    terms = {} if reward is None else reward.row()
    total = "no reward" if reward is None else f"reward {terms.pop('total'):.3g}"
    inside = ", ".join(f"{name} {value:g}" for name, value in terms.items())
    why = f" · {verdict.detail}" if verdict.detail else ""
    _say(f"  {what}, {earned.text}: {verdict.outcome}, {total} ({inside}){why}")


def _show_golds(found: SourceCheck) -> None:
    if not found.tried:
        return
    right = found.tried - len(found.refused)
    _say(f"  of the first {found.tried} golds, given as answers, {right} count as correct")
    for id_, why in found.refused[:5]:
        _say(f"  GOLD OF {id_} IS NOT ACCEPTED: {why}")


def _base(base: BaseRate) -> str:
    return (
        f"the model now: pass rate {base.rate:.3f} ({base.low:.3f} to {base.high:.3f}) on"
        f" {base.prompts} prompts x {base.responses} responses; {base.mixed} of the prompts have"
        f" both outcomes, which is what teaches; {base.truncated:.0%} of the responses are cut"
    )


def _say(text: str) -> None:
    """One line; data may hold anything."""
    from srpo.report.plain import one_line

    indent = text[: len(text) - len(text.lstrip())]
    typer.echo(indent + one_line(text.lstrip(), 1000))
