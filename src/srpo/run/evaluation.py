"""`srpo eval`: a model, or a server, asked n times for each problem of some sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from srpo.data.prompts import Prompter
from srpo.domains import find_domains
from srpo.evaluation.evaluator import seed_of
from srpo.evaluation.graders.beside import Beside
from srpo.evaluation.sets import HELDOUT, ProblemSet, load_sets
from srpo.evaluation.store import Responses
from srpo.evaluation.work import Evaluating, OnPhase, Regraded, Sampled
from srpo.models import eos_ids_of, load_tokenizer, outline, pick_device
from srpo.plans import claim
from srpo.recipe.evaluation import Evaluation
from srpo.recipe.load import load_recipe, parse_section
from srpo.recipe.schema import Recipe, Source
from srpo.rollout.collector import Collector
from srpo.rollout.endpoint import Endpoint, encode
from srpo.rollout.engine import RolloutEngine, Sampling
from srpo.rollout.open import open_engine
from srpo.run.guards import check_context, check_tokens
from srpo.run.target import Target, find_target
from srpo.types import Group, Problem, Reward, UserError
from srpo.verifiers.domain import Domain
from srpo.verifiers.pool import VerifierPool
from srpo.versions import versions

Message = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where an evaluation's results go, and where its data come from.

    out      the folder
    data     that benchmarks' files are in; None: the hub
    server   an OpenAI-compatible endpoint that has the model; None: this machine
    earlier  an evaluation whose responses are judged anew; None: the model is asked
    """

    out: Path
    data: Path | None = None
    server: str | None = None
    earlier: Path | None = None


def evaluate(tree: dict[str, Any], place: Place, on_phase: OnPhase, message: Message) -> Path:
    """Ask what has not been asked yet, and write the result. Raises SRPOError.

    Args:
        tree: an evaluation's recipe, as far as it says anything.
        on_phase: is told how far it is: the set, and responses.
        message: is told what a person should know.
    """
    model = tree.get("model") or ""
    if not (model or place.server or place.earlier):
        raise UserError("MODEL: none is named; give a run's or a model's folder, a hub id or nano")
    target = None if place.server or place.earlier else find_target(str(model))
    config = resolve(tree, target)
    if not config.sets:
        raise UserError("--on: nothing is asked; give benchmarks, for example aime24, or nano:math")
    own = _heldout(config, target)
    sets = load_sets(config.sets, place.data, config.seed, config.exclude_errata, own)
    for one in sets:
        for text in one.warnings:
            message(text)
    with ExitStack() as opened:
        endpoint = None
        if place.server:
            rows = config.rollout.max_rows
            endpoint = Endpoint(place.server, config.model or None, rows, message)
            opened.callback(endpoint.close)
            config = config.model_copy(update={"model": endpoint.model})
        plan = {
            "config": config.model_dump(mode="json"),
            "data": {one.name: one.record["sha256"] for one in sets},
            "versions": versions(),
        }
        begun = Responses(place.out).begun
        opened.enter_context(claim(place.out, plan, place.out, "evaluation", begun=begun))
        domains = find_domains(one.domain for one in sets)
        pool = opened.enter_context(VerifierPool(config.verifier, domains.values()))
        beside = Beside(config)
        opened.callback(beside.close)
        size = max(1, 2 * config.rollout.max_rows // config.samples)
        sampled = Responses(place.out).complete({s.name: -(-len(s.problems) // size) for s in sets})
        if place.earlier is not None or sampled:
            source: Sampled | Regraded = Regraded(Responses(place.earlier or place.out), pool)
        elif endpoint is not None:
            source = _served(config, endpoint, domains, pool)
        else:
            assert target is not None, "neither a server, nor an earlier evaluation"
            source = _local(config, target, sets, domains, pool, opened, message)
        return Evaluating(place.out, config, sets, source, pool, beside, size, on_phase).run()


def _heldout(config: Evaluation, target: Target | None) -> list[Source]:
    """What `heldout` stands for: the run's own, or that of a run which is named, `heldout:RUN`."""
    asked = [one for one in config.sets if isinstance(one, str) and one.startswith(HELDOUT)]
    if not asked:
        return []
    run = asked[0].partition(":")[2]
    if run or target is None:
        target = find_target(run or config.model)
    return target.recipe.data.eval if target.folder is not None else []


def resolve(tree: Mapping[str, Any], target: Target | None) -> Evaluation:
    """The evaluation that a tree of keys means: what it leaves open is as the run trained, where
    the model is a run's. Raises UserError."""
    given = dict(tree)
    if target is not None and target.model == "nano":
        given = _merged(_as_trained(load_recipe("nano")), given)
    elif target is not None and target.folder is not None:
        given = _merged(_as_trained(target.recipe), given)
    return parse_section(Evaluation, given, "srpo eval")


def _as_trained(recipe: Recipe) -> dict[str, Any]:
    data = recipe.data.model_dump(mode="json", exclude={"train", "eval"})
    rollout = recipe.rollout.model_dump(mode="json", exclude={"server_url"})
    rollout["placement"] = "process" if rollout["placement"] == "server" else rollout["placement"]
    for name in ("temperature", "max_new_tokens"):
        rollout[name] = getattr(recipe.eval, name) or rollout[name]
    return {
        "samples": recipe.eval.samples,
        "templates": {},
        "data": data,
        "rollout": rollout,
        "verifier": recipe.verifier.model_dump(mode="json"),
        "dtype": recipe.learner.dtype,
        "device": recipe.learner.device,
    }


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in over.items():
        inner = base.get(key)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            value = _merged(inner, value)
        found[key] = value
    return found


def _local(
    config: Evaluation,
    target: Target,
    sets: Sequence[ProblemSet],
    domains: dict[str, Domain],
    pool: VerifierPool,
    opened: ExitStack,
    message: Message,
) -> Sampled:
    """A model on this machine, by the engine that the recipe names."""
    tokenizer = load_tokenizer(target.model)
    asked = _with_templates(domains, config.templates)
    prompter = Prompter(tokenizer, config.data, asked, target.began)
    problems = [p for one in sets for p in one.problems]
    longest = max(len(prompter.ids(p)) for p in problems)
    text, _ = outline(target.model)
    new = config.rollout.max_new_tokens
    check_context(getattr(text, "max_position_embeddings", None), longest, new)
    for problem in problems:
        what = f"part of the prompt of problem {problem.id!r}"
        check_tokens(text.vocab_size, prompter.ids(problem), what)
    eos = eos_ids_of(target.model, tokenizer, offline=False) | set(config.rollout.stop_token_ids)
    device = pick_device(config.device)
    how = (target.model, config.rollout, config.dtype, tokenizer, frozenset(eos), device)
    engine = open_engine(*how, longest + new, Path("unused"), message)
    opened.callback(engine.close)
    return _sampled(config, engine, prompter.ids, pool)


def _served(
    config: Evaluation, engine: Endpoint, domains: dict[str, Domain], pool: VerifierPool
) -> Sampled:
    """A model behind an endpoint, which has tokenizer and chat template."""
    asked = _with_templates(domains, config.templates)

    def prompt_ids(problem: Problem) -> list[int]:
        template = config.data.template or asked[problem.domain].template
        body = template.replace("{prompt}", problem.prompt)
        if config.data.style == "plain":
            return encode(body)
        said = config.data.system
        system = said if said is not None else problem.meta.get("system")
        messages = [{"role": "user", "content": body}]
        return encode([{"role": "system", "content": system}, *messages] if system else messages)

    return _sampled(config, engine, prompt_ids, pool)


def _sampled(
    config: Evaluation,
    engine: RolloutEngine,
    prompt_ids: Callable[[Problem], list[int]],
    pool: VerifierPool,
) -> Sampled:
    collector = Collector(
        engine=engine,
        prompt_ids=prompt_ids,
        judge=pool.submit,
        reward=lambda *_: Reward(0.0, 0.0, 0.0, 0.0),  # nobody learns from it
        config=config.rollout,
        seed=config.seed,
        max_error_share=1.0,  # what has no verdict is told at the end
    )

    def ask(problems: list[Problem]) -> list[Group]:
        seeds = [seed_of(p, config.seed) for p in problems]
        sampling = Sampling.of(config.rollout)
        quiet = lambda *_: None  # noqa: E731
        return collector.sample(problems, config.samples, seeds, quiet, sampling).groups

    return Sampled(ask)


def _with_templates(domains: dict[str, Domain], templates: dict[str, str]) -> dict[str, Domain]:
    return {
        name: replace(domain, template=templates.get(name, domain.template))
        for name, domain in domains.items()
    }


def config_of(out: Path) -> dict[str, Any]:
    """The recipe of an evaluation that was made. Raises UserError."""
    try:
        return json.loads((out / "plan.json").read_text(encoding="utf-8"))["config"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{str(out)!r} is no evaluation: it has no plan.json that says so"
        ) from error
