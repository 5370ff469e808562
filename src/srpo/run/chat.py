"""Ask a model as its training asks it: the run's prompt, sampling and verdict."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from srpo.data.prompts import Prompter
from srpo.data.sources import load_problems
from srpo.domains import find_domains
from srpo.models import eos_ids, load_model, load_tokenizer, pick_device
from srpo.recipe.schema import Recipe
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.run.target import Target, find_target
from srpo.types import Outcome, Problem, Rollout, UserError
from srpo.verifiers.domain import Domain
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.reward import RewardRule


@dataclass
class Chat:
    """A model that can be asked."""

    recipe: Recipe
    problems: list[Problem]  # of the run; none for a model alone
    domains: dict[str, Domain]
    prompter: Prompter
    engine: TransformersEngine
    opened: ExitStack

    def problem(self, id_: str) -> Problem:
        """The run's problem of that id. Raises UserError with some that there are."""
        for problem in self.problems:
            if problem.id == id_:
                return problem
        ids = [p.id for p in self.problems]
        close = difflib.get_close_matches(id_, ids, n=3) or ids[:5]
        there = (
            f"there are {len(ids)}, for example {', '.join(close)}" if ids else "a model has none"
        )
        raise UserError(f"--problem: none has the id {id_!r}; {there}")

    def question(self, text: str) -> Problem:
        """One of the run's, where it is that, or a new one without a gold."""
        known = next((p for p in self.problems if p.prompt.strip() == text.strip()), None)
        return known or Problem("", next(iter(self.domains)), text)

    def ask(self, problem: Problem) -> Rollout:
        """One answer, with verdict and reward where the problem is known. Raises UserError."""
        sampling = Sampling.of(self.recipe.rollout)
        request = Request(0, self.prompter.ids(problem), 1, secrets.randbits(63))
        [(_, [rollout])] = self.engine.generate([request], sampling)
        if problem.id:
            rollout.verdict = self._verifiers.verify(problem, rollout.text)
            if rollout.verdict.outcome is not Outcome.ERROR:
                rule = RewardRule(self.recipe.reward, self.domains)
                rollout.reward = rule(problem, rollout.text, rollout.verdict)
        return rollout

    @cached_property
    def _verifiers(self) -> VerifierPool:
        pool = VerifierPool(self.recipe.verifier, self.domains.values())
        return self.opened.enter_context(pool)


@contextmanager
def open_chat(target: str) -> Iterator[Chat]:
    """With a run's model, or any other. Raises UserError."""
    found = find_target(target)
    recipe, model, problems = found.recipe, found.model, _problems(found)
    tokenizer: Any = load_tokenizer(model)
    domains = find_domains(s.domain for s in (*recipe.data.train, *recipe.data.eval))
    prompter = Prompter(tokenizer, recipe.data, domains, found.began)
    weights = load_model(model, recipe.learner.dtype, pick_device(recipe.learner.device))
    eos = eos_ids(weights, tokenizer) | frozenset(recipe.rollout.stop_token_ids)
    engine = TransformersEngine(weights, tokenizer, 1, eos)
    with ExitStack() as opened:
        yield Chat(recipe, problems, domains, prompter, engine, opened)


def _problems(target: Target) -> list[Problem]:
    if target.folder is None:
        return []
    recipe = target.recipe
    problems = load_problems(recipe.data.train, "data.train", recipe.seed)
    return problems + load_problems(recipe.data.eval, "data.eval", recipe.seed)
