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
from srpo.evaluation.evaluator import Evaluator, Line
from srpo.learner.learner import Learner
from srpo.learner.local import LocalLearner
from srpo.metrics import MetricsWriter, Row
from srpo.models import load_tokenizer
from srpo.observer import Observer
from srpo.recipe.schema import Recipe
from srpo.rollout.collector import Collector
from srpo.rollout.engine import RolloutEngine
from srpo.rollout.freshness import PROMPTS, TOLERANCE, FreshnessCheck
from srpo.rollout.open import open_engine
from srpo.run.folder import RunFolder
from srpo.run.guards import check_context
from srpo.run.trackers import check_trackers
from srpo.types import Group, Problem
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.references import check_references
from srpo.verifiers.reward import reward


@dataclass
class Parts:
    """The parts of a run; the trainer plays the story with them."""

    recipe: Recipe
    observer: Observer
    folder: RunFolder
    fingerprint: str  # of the training problems
    tokenizer: Any
    curriculum: Curriculum
    sampler: Sampler
    ledger: Ledger
    learner: Learner
    engine: RolloutEngine
    freshness: FreshnessCheck
    collector: Collector
    evaluator: Evaluator
    metrics: MetricsWriter

    def log(self, row: Row, groups: list[Group]) -> None:
        """A step's row and rollouts, to everywhere; what is None is left out."""
        row = {name: value for name, value in row.items() if value is not None}
        self.metrics.log(row)
        if self.recipe.log.rollouts:
            self.folder.write_rollouts(row, groups)
        self.observer.step(row)


def open_parts(recipe: Recipe, folder: RunFolder, observer: Observer, opened: ExitStack) -> Parts:
    """Load, check and open everything; nothing is written. What is to be closed goes on `opened`,
    also when a later part fails. Raises UserError."""
    problems = load_problems(recipe.data.train, "data.train", recipe.seed)
    held_out = load_problems(recipe.data.eval, "data.eval", recipe.seed)
    tokenizer = load_tokenizer(recipe.model)
    prompter = Prompter(tokenizer, recipe.data)
    check_trackers(list(recipe.log.trackers))
    # Too long a prompt shall show now, not in an hour.
    longest = max(len(prompter.ids(problem)) for problem in (*problems, *held_out))
    verifiers = opened.enter_context(
        VerifierPool.of(recipe.verifier, {p.domain for p in (*problems, *held_out)})
    )
    check_references(verifiers, [*problems, *held_out])
    learner = LocalLearner.open(recipe, tokenizer)
    check_context(learner.info.context, longest, recipe.rollout.max_new_tokens)
    engine = open_engine(
        recipe,
        tokenizer,
        learner.info.eos,
        learner.info.device,
        longest + recipe.rollout.max_new_tokens,
        folder.engine_weights,
        observer.message,
    )
    opened.callback(engine.close)
    collector = Collector(
        engine=engine,
        prompt_ids=prompter.ids,
        judge=verifiers.submit,
        reward=partial(reward, weights=recipe.reward),
        config=recipe.rollout,
        seed=recipe.seed,
        max_error_share=recipe.verifier.max_error_share,
        on_phase=observer.phase,
    )

    def evaluated(results: list[Line]) -> None:
        folder.write_evals(results)
        observer.evaluated(results[-1]["point"], results[-1])

    return Parts(
        recipe=recipe,
        observer=observer,
        folder=folder,
        fingerprint=fingerprint(problems),
        tokenizer=tokenizer,
        curriculum=Curriculum(recipe.curriculum),
        sampler=Sampler(problems, recipe.sampler, recipe.seed, recipe.rollout.group_size),
        ledger=Ledger(problems, [s.name for s in stages_of(recipe.curriculum)]),
        learner=learner,
        engine=engine,
        freshness=_freshness(recipe, learner, engine, collector, problems),
        collector=collector,
        evaluator=Evaluator(
            held_out, fingerprint(held_out), recipe.eval, recipe.seed, collector, evaluated
        ),
        metrics=MetricsWriter(folder.metrics),
    )


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
