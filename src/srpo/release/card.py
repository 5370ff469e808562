"""`README.md`: a model's card as the hub shows it, from what its run has on record.

What the run did not write down is "not recorded"; nothing here is a guess.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from huggingface_hub import EvalResult, ModelCardData

from srpo.recipe.schema import Recipe, Source
from srpo.report.reader import Record
from srpo.report.run.conclusions import Facts, conclusions
from srpo.report.run.tables import epoch_sheet, eval_sheet, totals_sheet
from srpo.report.sheet import escape, fenced, table_lines

QUESTION = "What is 6 times 7?"
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True)
class Released:
    """What a card says of the folder that it lies in.

    name      of the folder
    step      that the weights are of; None where the run does not say
    dtype     of the weights
    example   the prompt of QUESTION, as text
    chat      whether the training's prompts were the tokenizer's chat template's
    eos       what ends a response, in words
    notes     what is not as in training, a sentence each
    """

    name: str
    step: int | None
    dtype: str
    example: str
    chat: bool
    eos: str
    notes: list[str]


def card(facts: Facts, recipe: Recipe, released: Released) -> str:
    """The card's Markdown."""
    parts = [
        f"---\n{_head(facts, recipe, released)}\n---",
        f"# {escape(released.name)}",
        _what(facts, recipe, released),
        "## Ask it",
        *_serving(recipe, released),
        "## Prompt",
        *_prompt(released),
        "## How it was trained",
        *_training(facts, recipe),
        "## Evaluations",
        *_evaluations(facts, recipe, released),
        "## Data",
        *_data(facts, recipe),
        "## Hardware and versions",
        _versions(facts),
        "## Not measured",
        *_unknown(recipe),
        "## Recipe",
        fenced(facts.recipe_text, "yaml"),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _head(facts: Facts, recipe: Recipe, released: Released) -> str:
    """Front matter, by the hub's own library."""
    results = list(_results(facts, released))
    hub = [s.path.partition(":")[0] for s in recipe.data.train if _is_hub_id(s.path)]
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["srpo", "reinforcement-learning", "reasoning", *facts.domains],
        base_model=recipe.model if _is_hub_id(recipe.model) else None,
        datasets=list(dict.fromkeys(hub)) or None,
        model_name=released.name if results else None,
        eval_results=results or None,
    )
    return data.to_yaml().rstrip()


def _is_hub_id(name: str) -> bool:
    return HUB_ID.fullmatch(name.partition(":")[0]) is not None and not Path(name).exists()


def _results(facts: Facts, released: Released) -> Iterator[EvalResult]:
    """The held-out evaluation of these weights, where there is one; of others there are more in
    the table."""
    same = [e for e in facts.evals if released.step is not None and e["step"] == released.step]
    for domain, results in _by_domain(same[-1:]):
        for name, value in results.items():
            if not name.startswith("pass@") or name.endswith(("_low", "_high")) or value is None:
                continue
            low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
            interval = {} if low is None else {"interval_95": [low, high]}
            yield EvalResult(
                task_type="text-generation",
                dataset_type="held-out",
                dataset_name=f"the run's held-out {domain} problems",
                dataset_config=domain,  # else the hub puts all domains together
                metric_type=name,
                metric_name=name,
                metric_value=value,
                metric_args=interval | {"problems": results.get("problems")},
            )


def _by_domain(evals: list[Record]) -> Iterator[tuple[str, Record]]:
    for line in evals:
        yield from ((name, found) for name, found in line.items() if isinstance(found, dict))


def _what(facts: Facts, recipe: Recipe, released: Released) -> str:
    at = "" if released.step is None else f" after step {released.step:,}"
    end = "" if facts.summary else " of a run that is not finished"
    return (
        f"{escape(recipe.model)}, trained to reason with srpo"
        f" (SRPO, [arXiv 2504.14286](https://arxiv.org/abs/2504.14286)): the weights{at}{end}, in"
        f" {released.dtype}. {escape(' '.join(conclusions(facts)))}"
    )


def _serving(recipe: Recipe, released: Released) -> list[str]:
    body: dict[str, Any] = {"model": released.name, "messages": [_asked()]}
    stop = recipe.rollout.stop
    body |= {"stop": stop} if stop else {}
    post = "curl http://localhost:8000/v1/chat/completions -H 'Content-Type: application/json'"
    # vLLM halves the precision of what is float32 unless it is told.
    exact = " --dtype float32" if released.dtype == "float32" else ""
    served = (
        f"vllm serve {shlex.quote(released.name)}{exact}\n{post} -d {shlex.quote(json.dumps(body))}"
    )
    python = f"""\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({released.name!r})
model = AutoModelForCausalLM.from_pretrained({released.name!r})
asked = tokenizer.apply_chat_template(
    [{json.dumps(_asked())}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
)
answer = model.generate(**asked, tokenizer=tokenizer)[0, asked["input_ids"].shape[1] :]
print(tokenizer.decode(answer))"""
    said = (
        f"Sampling is the training's (`generation_config.json`); a response ends with"
        f" {escape(released.eos)}."
    )
    if stop:
        said += " vLLM does not read `stop_strings`: send them, as above."
    return [fenced(served, "sh"), fenced(python, "python"), said]


def _asked() -> dict[str, str]:
    return {"role": "user", "content": QUESTION}


def _prompt(released: Released) -> list[str]:
    """What the training asked with, and the same in the folder."""
    kind = (
        "the tokenizer's chat template, with what the recipe adds to it"
        if released.chat
        else "plain text; `chat_template.jinja` makes that text, and puts the end token between"
        " the turns of a conversation"
    )
    said = (
        f"Training asked one question at a time, as {kind}. The question {escape(QUESTION)} becomes"
    )
    exact = fenced(json.dumps(released.example, ensure_ascii=False), "json")
    return [said, exact, *map(escape, released.notes)]


def _training(facts: Facts, recipe: Recipe) -> list[str]:
    method = {
        "curriculum": recipe.curriculum.kind,
        "prompts": recipe.sampler.strategy.kind,
        "advantage": recipe.advantage.kind,
        "loss": recipe.loss.kind,
        "engine": recipe.rollout.engine,
    }
    said = ", ".join(f"{name} {escape(str(kind))}" for name, kind in method.items())
    size = f"{recipe.sampler.prompts_per_step} prompts of {recipe.rollout.group_size} rollouts"
    curves = "![Curves of the run](curves.png)"
    sheets = [totals_sheet(facts.run), *([epoch_sheet(facts.epochs)] if facts.epochs else [])]
    tables = ["\n".join(table_lines(sheet)) for sheet in sheets]
    return [f"By {said}; a step is {size}. The whole recipe is below.", *tables, curves]


def _evaluations(facts: Facts, recipe: Recipe, released: Released) -> list[str]:
    if not facts.evals:
        return ["None: the run has no evaluation on record."]
    table = "\n".join(table_lines(eval_sheet(facts.evals)))
    told = (
        f"{recipe.eval.samples} responses a problem, by the run itself: its engine computed in"
        f" {recipe.learner.dtype}. The released weights were not evaluated again."
    )
    if all(e["step"] != released.step for e in facts.evals):
        told += " No evaluation is of these very weights."
    return [table, told]


def _data(facts: Facts, recipe: Recipe) -> list[str]:
    asked, held_out = _asked_problems(facts), dict(_by_domain(facts.evals))
    trained = ", ".join(f"{n:,} of {escape(d)}" for d, n in asked.items()) or "not recorded"
    kept = {d: r["problems"] for d, r in held_out.items() if "problems" in r}
    held = ", ".join(f"{n:,} of {escape(d)}" for d, n in kept.items()) or "not recorded"
    return [
        f"Problems that training asked: {trained}. Held-out problems: {held}.",
        "\n".join(
            [_source("training", s) for s in recipe.data.train]
            + [_source("held out", s) for s in recipe.data.eval]
        ),
    ]


def _source(use: str, source: Source) -> str:
    limit = "" if source.limit is None else f", at most {source.limit:,} rows"
    said = f"{escape(source.domain)}{limit}"
    return f"- {use}: {escape(source.path)} ({said}); licence: {escape(source.license)}"


def _asked_problems(facts: Facts) -> dict[str, int]:
    """How many problems the ledger has, by domain."""
    file = facts.run.ledger()
    if file is None:
        return {}
    pairs = pq.read_table(file, columns=["problem_id", "domain"]).to_pylist()
    found = {(row["problem_id"], str(row["domain"])) for row in pairs}
    domains = [domain for _, domain in found]
    return {domain: domains.count(domain) for domain in sorted(set(domains))}


def _versions(facts: Facts) -> str:
    here = ", ".join(f"{name} {version(name)}" for name in ("srpo", "transformers", "torch"))
    began = _began(facts)
    then = ", ".join(f"{name} {number}" for name, number in began.get("versions", {}).items())
    seconds = _seconds(facts)
    took = "not recorded" if seconds is None else f"{seconds:,.0f} s of wall-clock"
    return (
        f"Hardware of the training: {escape(str(began.get('machine', 'not recorded')))}."
        f" Versions of the training: {escape(then or 'not recorded')}. Training time: {took}. This"
        f" folder was written with {here}."
    )


def _began(facts: Facts) -> dict[str, Any]:
    """Where and with what the run began, as far as it wrote that down."""
    try:
        return json.loads(facts.run.files.began.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _seconds(facts: Facts) -> float | None:
    """Of training, as the summary or the last step has it."""
    last = facts.rows[-1] if facts.rows else {}
    return (facts.summary or {}).get("seconds", last.get("seconds/total"))


def _unknown(recipe: Recipe) -> list[str]:
    lines = [
        "Anything but the held-out problems above: no other benchmark, no other language, no other"
        " subject.",
        "Conversations: every question of the training stood alone.",
        f"Responses beyond {recipe.rollout.max_new_tokens:,} tokens, or sampled otherwise than"
        " in training.",
        "Safety: the reward is about right answers and their form alone.",
        "The licence of the result: not recorded; those of the base model and of the data may"
        " bind it.",
    ]
    return ["\n".join(f"- {line}" for line in lines)]
