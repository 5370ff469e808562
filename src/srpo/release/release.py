"""`srpo release`: from a run to a folder with weights, prompt, sampling and a card."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from srpo.data.prompts import Prompter
from srpo.domains import find_domains
from srpo.files import umask_modes
from srpo.learner.lora import ADAPTER
from srpo.models import eos_ids_of, load_model, load_tokenizer, pick_device, saved_dtype
from srpo.recipe.load import load_recipe
from srpo.recipe.schema import Recipe, domain_name
from srpo.release.card import QUESTION, Released, card
from srpo.release.checksums import write_sums
from srpo.release.generation import generation_config
from srpo.release.place import free_place, new_folder
from srpo.release.template import around_question, chat_template
from srpo.report.reader import Run, open_run, read_groups
from srpo.report.run.conclusions import Facts, read_facts
from srpo.report.run.page import write_curves
from srpo.rollout.stops import in_words
from srpo.run.target import Target, find_target
from srpo.types import Problem, UserError

LOOKED_AT = 64  # prompts of the run that the released tokenizer is tried on

Message = Callable[[str], None]


@dataclass(frozen=True)
class Weights:
    """How the weights are written: `dtype` None is as the run has them, `shard_size` None
    transformers' own."""

    dtype: str | None = None
    shard_size: str | None = None

    def __post_init__(self) -> None:
        size = self.shard_size
        if size is not None and not re.fullmatch(r"0*[1-9]\d*(KB|MB|GB)", size):
            raise UserError(f"--shard-size {size!r}: give a number with KB, MB or GB, as 5GB")


def release(
    run: Path, to: Path, weights: Weights, overwrite: bool = False, say: Message = print
) -> Path:
    """Write the folder `to`, whole or not at all. Raises SRPOError.

    `say` is told what a person should know.
    """
    opened = open_run(run)
    out = free_place(run, to, overwrite)
    target = find_target(str(run))
    recipe = load_recipe(opened.files.recipe)
    tokenizer = load_tokenizer(target.model)
    domains = find_domains(s.domain for s in (*recipe.data.train, *recipe.data.eval))
    prompter = Prompter(tokenizer, recipe.data, domains, target.began)
    first = domain_name(recipe.data.train[0].domain)
    template = chat_template(prompter, first, tokenizer.eos_token)
    facts = read_facts(opened)
    with new_folder(out) as folder:
        eos, dtype = _write_model(target, tokenizer, weights, folder)
        _save_tokenizer(target.model, template, folder)
        theirs = load_tokenizer(str(folder))
        notes = _notes(opened, prompter, first, theirs)
        for note in notes:
            say(note)
        released = Released(
            name=to.resolve().name,
            step=_step(opened, target),
            dtype=dtype,
            example=_render(theirs, QUESTION, tokenize=False),
            chat=prompter.chat,
            eos=in_words(tokenizer, eos, recipe.rollout.stop),
            notes=notes,
        )
        _write_words(facts, recipe, released, folder)
    return out


def _write_model(
    target: Target, tokenizer: Any, weights: Weights, folder: Path
) -> tuple[frozenset[int], str]:
    """Weights, config and generation config. What ends a response, and the weights' precision."""
    dtype = weights.dtype or str(saved_dtype(target.model)).removeprefix("torch.")
    model: Any = load_model(target.model, dtype, pick_device("cpu"))
    more, rows = target.recipe.rollout.stop_token_ids, len(model.get_input_embeddings().weight)
    eos = frozenset(i for i in (*eos_ids_of(target.model, tokenizer), *more) if i < rows)
    model.generation_config = generation_config(target.recipe.rollout, eos, tokenizer)
    size = {} if weights.shard_size is None else {"max_shard_size": weights.shard_size}
    model.save_pretrained(folder, **size)
    if (adapter := Path(target.model) / ADAPTER).is_dir():
        shutil.copytree(adapter, folder / ADAPTER)
    umask_modes(folder)
    return eos, dtype


def _save_tokenizer(model: str, template: str | dict[str, str], folder: Path) -> None:
    """A copy, since the training's own template is still needed."""
    tokenizer = load_tokenizer(model)
    tokenizer.chat_template = template
    try:
        tokenizer.save_pretrained(folder)
    except OSError:
        raise
    except Exception as error:  # of tokenizers' own, which has no types
        raise OSError(str(error)) from error


def _notes(run: Run, prompter: Prompter, first: str, tokenizer: Any) -> list[str]:
    """What is not as in training, a sentence each."""
    notes = []
    ours = around_question(prompter, first)
    others = sorted(d for d in prompter.domains if around_question(prompter, d) != ours)
    if others:
        notes.append(
            f"Training put other text around the questions of {', '.join(others)}; the template"
            f" here has that of {first}."
        )
    asked = [p for p in _asked(run) if p.domain in prompter.domains and p.domain not in others]
    unlike = [p for p in asked if prompter.ids(p) != _render(tokenizer, p.prompt)]
    if unlike:
        notes.append(
            f"Of {len(asked)} prompts of the training, {len(unlike)} have other tokens by this"
            " template."
        )
    if prompter.chat and "strftime_now" in str(tokenizer.chat_template):
        notes.append(
            f"The chat template asks for the date; here it is that of the training,"
            f" {prompter.now:%Y-%m-%d}."
        )
    return notes


def _render(tokenizer: Any, question: str, tokenize: bool = True) -> Any:
    """As whoever uses the folder does."""
    found = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, tokenize=tokenize
    )
    return found["input_ids"] if tokenize else found


def _asked(run: Run) -> Iterator[Problem]:
    """Some of the questions that the training asked, as far as its rollouts are there."""
    files = [*run.files.rollout_files().values()][-1:]
    for file in files:
        for group in islice(read_groups(file), LOOKED_AT):
            if isinstance(group, dict) and isinstance(group.get("prompt"), str):
                yield Problem("", str(group.get("domain")), group["prompt"])


def _step(run: Run, target: Target) -> int | None:
    """That the weights are of."""
    model = Path(target.model)
    if model == run.files.model:
        return (run.summary() or {}).get("steps")
    number = model.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else None


def _write_words(facts: Facts, recipe: Recipe, released: Released, folder: Path) -> None:
    """Card, curves, recipe and, last, the checksums of everything."""
    write_curves(facts.run.path, folder / "curves.png")
    shutil.copyfile(facts.run.files.recipe, folder / "recipe.yaml")
    (folder / "README.md").write_text(card(facts, recipe, released), "utf-8", "backslashreplace")
    write_sums(folder)
