"""Everything that a run is made of, opened in order."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from srpo.algorithm.curriculum import Curriculum, stages_of
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.sampler import Sampler
from srpo.data.prompts import Prompter
from srpo.data.sources import fingerprint, load_problems
from srpo.domains import find_domains
from srpo.evaluation.evaluator import Evaluator, Line
from srpo.learner.learner import Learner
from srpo.learner.open import open_learner
from srpo.metrics import MetricsWriter, Row
from srpo.models import load_tokenizer, turn_ends
from srpo.observer import Observer
from srpo.recipe.schema import Recipe
from srpo.rollout.collector import Collector
from srpo.rollout.engine import RolloutEngine
from srpo.rollout.freshness import PROMPTS, TOLERANCE, FreshnessCheck
from srpo.rollout.open import open_engine
from srpo.rollout.stops import in_words
from srpo.run import advice
from srpo.run.advice import Watch
from srpo.run.ahead import Ahead
from srpo.run.folder import RunFolder
from srpo.run.guards import check_context, check_tokens
from srpo.run.trackers import check_trackers
from srpo.types import Group, Problem, UserError
from srpo.verifiers.domain import Domain
from srpo.verifiers.overlong import overlong
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.references import check_references
from srpo.verifiers.reward import RewardRule

NO_TURN_END = (
    "data.style: the chat template ends an answer with no control token; set rollout.stop, for"
    " example to the text that begins the next question"
)


@dataclass
class Parts:
    """The parts of a run; the trainer plays the story with them."""

    recipe: Recipe
    observer: Observer
    folder: RunFolder
    domains: dict[str, Domain]
    fingerprint: str  # of the training problems
    prompts: str  # the fingerprint of how they are put to the model
    tokenizer: Any
    prompter: Prompter
    curriculum: Curriculum
    sampler: Sampler
    ledger: Ledger
    learner: Learner
    engine: RolloutEngine
    freshness: FreshnessCheck
    collector: Collector
    ahead: Ahead
    evaluator: Evaluator
    metrics: MetricsWriter
    watch: Watch

    def log(self, row: Row, groups: list[Group]) -> None:
        """A step's row and rollouts, to everywhere; what is None is left out."""
        row = {name: value for name, value in row.items() if value is not None}
        self.metrics.log(row)
        for text in self.watch.step(row):
            self.observer.message(text)
        if self.recipe.log.rollouts:
            self.folder.write_rollouts(row, groups)
        self.observer.groups(groups)
        self.observer.step(row)


def open_parts(recipe: Recipe, folder: RunFolder, observer: Observer, opened: ExitStack) -> Parts:
    """Load, check and open everything; nothing is written. What is to be closed goes on `opened`,
    also when a later part fails. Raises UserError."""
    observer.phase("load data", 0, 0)
    located = folder.origin.locate(recipe)
    questions = open_questions(recipe, folder, observer)
    domains, tokenizer, prompter = questions.domains, questions.tokenizer, questions.prompter
    problems, held_out, longest = questions.problems, questions.held_out, questions.longest
    check_trackers(list(recipe.log.trackers))
    reward = RewardRule(recipe.reward, domains)
    verifiers = opened.enter_context(VerifierPool(recipe.verifier, domains.values()))
    check_references(verifiers, [*problems, *held_out])
    observer.phase("load model", 0, 0)
    learner = open_learner(located, tokenizer, opened)
    answer = max(recipe.rollout.max_new_tokens, recipe.eval.max_new_tokens or 0)
    check_context(learner.info.context, longest, answer)
    eos = _eos(recipe, learner)
    ends = in_words(tokenizer, eos, recipe.rollout.stop)
    observer.message(f"a response ends with {ends}")
    stages = stages_of(recipe.curriculum, dict.fromkeys(p.domain for p in problems))
    notes = _check_prompts(recipe, prompter, learner, [*problems, *held_out])
    for note in (*notes, *advice.of_data(recipe, problems, held_out, stages)):
        observer.message(note)
    observer.phase("start engine", 0, 0)
    engine = open_engine(
        located.model,
        recipe.rollout,
        recipe.learner.dtype,
        tokenizer,
        eos,
        learner.info.device,
        longest + answer,
        folder.engine_weights,
        observer.message,
    )
    opened.callback(engine.close)
    ledger = Ledger(problems, [s.name for s in stages])
    collector = Collector(
        engine=engine,
        prompt_ids=prompter.ids,
        judge=verifiers.submit,
        reward=reward,
        config=recipe.rollout,
        seed=recipe.seed,
        max_error_share=recipe.verifier.max_error_share,
        on_phase=observer.phase,
        overlong=partial(
            overlong, limit=recipe.rollout.max_new_tokens, buffer=recipe.reward.overlong
        ),
        expected=ledger.expected_tokens,
    )

    sampler = Sampler(problems, recipe.sampler, recipe.seed, recipe.rollout.group_size)
    ahead = Ahead(collector, sampler, bool(recipe.rollout.ahead))
    opened.callback(ahead.close)
    metrics = MetricsWriter(folder.metrics)

    def evaluated(results: list[Line]) -> None:
        folder.write_evals(results)
        if results[-1]["step"] not in [e["step"] for e in results[:-1]]:  # else the same again
            metrics.evaluated(results[-1])
        observer.evaluated(results[-1]["point"], results[-1])
        if results[-1]["point"] == "base":
            for text in advice.of_base(results[-1]):
                observer.message(text)

    return Parts(
        recipe=recipe,
        observer=observer,
        folder=folder,
        domains=domains,
        fingerprint=fingerprint(problems),
        prompts=prompter.fingerprint(problems),
        tokenizer=tokenizer,
        prompter=prompter,
        curriculum=Curriculum(stages),
        sampler=sampler,
        ledger=ledger,
        learner=learner,
        engine=engine,
        freshness=_freshness(recipe, learner, engine, collector, problems),
        collector=collector,
        ahead=ahead,
        evaluator=Evaluator(
            held_out, fingerprint(held_out), recipe.eval, recipe.seed, collector, evaluated
        ),
        metrics=metrics,
        watch=Watch(recipe, ends),
    )


@dataclass
class Questions:
    """What the model is asked, before there is a model."""

    domains: dict[str, Domain]
    problems: list[Problem]
    held_out: list[Problem]
    tokenizer: Any
    prompter: Prompter

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt."""
        return max(len(self.prompter.ids(p)) for p in (*self.problems, *self.held_out))


def open_questions(recipe: Recipe, folder: RunFolder, observer: Observer) -> Questions:
    """Load and render every problem. Too long a prompt shall show now, not in an hour. Raises
    UserError."""
    located = folder.origin.locate(recipe)
    domains = find_domains(s.domain for s in (*recipe.data.train, *recipe.data.eval))
    problems = load_problems(located.data.train, "data.train", recipe.seed)
    held_out = load_problems(located.data.eval, "data.eval", recipe.seed)
    tokenizer = load_tokenizer(located.model)
    prompter = Prompter(tokenizer, recipe.data, domains, folder.origin.began)
    problems = _short_enough(problems, prompter, "data.train", observer)
    held_out = _short_enough(held_out, prompter, "data.eval", observer)
    return Questions(domains, problems, held_out, tokenizer, prompter)


def _short_enough(
    problems: list[Problem], prompter: Prompter, field: str, observer: Observer
) -> list[Problem]:
    """Those whose prompts are. Raises UserError where the recipe wants it, or none is left."""
    kept = prompter.short_enough(problems)
    limit = prompter.config.max_prompt_tokens
    if problems and not kept:
        raise UserError(f"data.max_prompt_tokens: {limit}, but every prompt of {field} has more")
    if len(kept) < len(problems):
        dropped = len(problems) - len(kept)
        observer.message(
            f"{field}: {dropped} of {len(problems)} prompts have more than {limit}"
            " tokens and are left out"
        )
    return kept


def _check_prompts(
    recipe: Recipe, prompter: Prompter, learner: Learner, problems: list[Problem]
) -> list[str]:
    """What a person should know of model and prompts. Raises UserError for tokens that the model
    cannot read."""
    rows = learner.info.vocabulary
    check_tokens(rows, [learner.info.pad], "the tokenizer's pad_token")
    for problem in problems:
        what = f"part of the prompt of problem {problem.id!r}"
        check_tokens(rows, prompter.ids(problem), what)
    notes = [*learner.info.notes, *prompter.warnings(problems)]
    silent = prompter.chat and not turn_ends(prompter.tokenizer) and not recipe.rollout.stop
    return [*notes, NO_TURN_END] if silent else notes


def _eos(recipe: Recipe, learner: Learner) -> frozenset[int]:
    """Every token that ends a response. Raises UserError."""
    rows, more = learner.info.vocabulary, recipe.rollout.stop_token_ids
    check_tokens(rows, more, "one of rollout.stop_token_ids")
    found = frozenset(i for i in (*learner.info.eos, *more) if i < rows)
    check_tokens(rows, [] if found or recipe.rollout.stop else learner.info.eos, "its eos_token")
    return found


def _freshness(
    recipe: Recipe,
    learner: Learner,
    engine: RolloutEngine,
    collector: Collector,
    problems: list[Problem],
) -> FreshnessCheck:
    """It asks for nothing where an engine cannot fail to take new weights."""
    asked = [] if recipe.rollout.engine == "transformers" else problems[:PROMPTS]
    prompts = [collector.prompt_ids(p) for p in asked]
    tolerance = recipe.rollout.freshness_tolerance or TOLERANCE[recipe.learner.dtype]
    return FreshnessCheck(engine, learner.score, prompts, collector.sampling, tolerance)
