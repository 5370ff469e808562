"""What `srpo check` finds out: all that a run would load, and what an answer would earn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from srpo.data.sources import load_problems
from srpo.evaluation.evaluate import summarize
from srpo.models import device_memory, outline, pick_device
from srpo.observer import Observer
from srpo.recipe.schema import Recipe, RewardConfig, Source
from srpo.run.folder import RunFolder
from srpo.run.memory import Memory, Shape, estimate
from srpo.run.origin import Origin
from srpo.run.parts import Parts, open_parts, open_questions
from srpo.types import Outcome, Problem, Reward, UserError, Verdict

GOLDS = 100  # so many rows of a source are tried with their own gold
WRONG = ("31415926", "27182818")


@dataclass(frozen=True)
class Earned:
    """What a response would be told."""

    text: str
    verdict: Verdict
    reward: Reward | None


@dataclass(frozen=True)
class BaseRate:
    """Of the model as it is."""

    prompts: int
    responses: int  # to each
    rate: float
    low: float
    high: float
    mixed: int  # prompts with both outcomes: those that would teach
    truncated: float


@dataclass(frozen=True)
class SourceCheck:
    """One source, and its first problem as a run would put and judge it."""

    name: str
    domain: str
    problems: int
    problem: Problem
    prompt: str
    tokens: int
    right: Earned | None  # None: the row has no program that is known to pass
    wrong: Earned
    tried: int  # rows whose gold was given as an answer
    refused: list[tuple[str, str]]  # id and why, of those whose gold did not count as correct
    base: BaseRate | None

    @property
    def wrong_passes(self) -> bool:
        """Whether the wrong answer counts as correct."""
        return self.wrong.verdict.outcome is Outcome.CORRECT


def check_sources(parts: Parts, sample: int = 0) -> Iterator[SourceCheck]:
    """Each source of training and evaluation, with the base model's pass rate on `sample` of its
    prompts where that is not 0. Raises UserError."""
    located = parts.folder.origin.locate(parts.recipe)
    for section in ("train", "eval"):
        for i, source in enumerate(getattr(located.data, section)):
            yield _check(parts, source, f"data.{section}[{i}]", section, sample)


def _check(parts: Parts, source: Source, place: str, section: str, sample: int) -> SourceCheck:
    every = load_problems([source], f"data.{section}", parts.recipe.seed)
    problems = parts.prompter.short_enough(every)
    if not problems:
        raise UserError(
            f"{place}: {source.path}: every prompt is longer than data.max_prompt_tokens"
            f" {parts.recipe.data.max_prompt_tokens}; raise it or leave the source out"
        )
    first = problems[0]
    ids = parts.prompter.ids(first)
    right = right_answer(first, parts.recipe.reward)
    tried = [(p, t) for p in problems[:GOLDS] if (t := right_answer(p, parts.recipe.reward))]
    return SourceCheck(
        name=f"{place}: {source.path}",
        domain=first.domain,
        problems=len(problems),
        problem=first,
        prompt=parts.tokenizer.decode(ids),
        tokens=len(ids),
        right=None if right is None else earned(parts, first, right),
        wrong=earned(parts, first, wrong_answer(first, parts.recipe.reward)),
        tried=len(tried),
        refused=_refused(parts, tried),
        base=_base(parts, problems[:sample]) if sample else None,
    )


def earned(parts: Parts, problem: Problem, text: str) -> Earned:
    """What the run's own verifier and reward make of a response."""
    verdict = parts.collector.judge(problem, text).result()
    error = verdict.outcome is Outcome.ERROR
    return Earned(text, verdict, None if error else parts.collector.reward(problem, text, verdict))


def _refused(parts: Parts, tried: list[tuple[Problem, str]]) -> list[tuple[str, str]]:
    running = [(p.id, parts.collector.judge(p, text)) for p, text in tried]
    verdicts = [(id_, future.result()) for id_, future in running]
    return [(id_, v.detail) for id_, v in verdicts if v.outcome is not Outcome.CORRECT]


def right_answer(problem: Problem, reward: RewardConfig) -> str | None:
    """The gold in the format that is asked for; for code the row's reference, if it has one."""
    if problem.tests is not None:
        program = problem.meta.get("reference")
        return None if program is None else _program(str(program), reward)
    gold = problem.answer if isinstance(problem.answer, str) else (problem.answer or ("",))[0]
    return _written(problem.domain, str(gold), reward)


def wrong_answer(problem: Problem, reward: RewardConfig) -> str:
    """One in the format that is asked for; no gold is that number, no test passes that program."""
    if problem.tests is not None:
        return _program("pass", reward)
    golds = problem.answer if isinstance(problem.answer, tuple) else (problem.answer,)
    return _written(problem.domain, next(w for w in WRONG if w not in golds[:1]), reward)


def _written(domain: str, answer: str, reward: RewardConfig) -> str:
    """As text alone where the domain is one of the user's, whose format nobody knows here."""
    if domain != "math":
        return answer
    return {
        "boxed": f"\\boxed{{{answer}}}",
        "tags": f"<think></think><answer>{answer}</answer>",
        "json": json.dumps({"answer": answer}, ensure_ascii=False),
    }[reward.math_format]


def _program(code: str, reward: RewardConfig) -> str:
    block = f"```python\n{code.rstrip()}\n```"
    tags = reward.code_format == "tags"
    return f"<think></think><answer>\n{block}\n</answer>" if tags else block


def _base(parts: Parts, problems: list[Problem]) -> BaseRate:
    """The model's pass rate, sampled as in training."""
    n = parts.recipe.rollout.group_size
    seeds = list(range(parts.recipe.seed, parts.recipe.seed + len(problems)))
    groups = parts.collector.sample(problems, n, seeds, parts.observer.phase).groups
    parts.collector.check(groups)
    [found] = summarize(groups).values()
    return BaseRate(
        prompts=len(problems),
        responses=n,
        rate=found["pass@1"],
        low=found["pass@1_low"],
        high=found["pass@1_high"],
        mixed=sum(g.is_mixed() for g in groups),
        truncated=found["truncated"],
    )


def memory_of(recipe: Recipe) -> tuple[Memory, int | None]:
    """What a run will take, and what its device has in all (None: unknown), before a weight is
    loaded. Raises UserError."""
    folder = new_folder(recipe)
    longest = open_questions(recipe, folder, Observer()).longest
    shape, device = Shape.of(*outline(recipe.model)), pick_device(recipe.learner.device)
    found = estimate(recipe, shape, longest, device.type == "cuda")
    return found, device_memory(device)


def new_folder(recipe: Recipe) -> RunFolder:
    """That of a run which would begin here and now, whatever is in it."""
    folder = RunFolder(Path(recipe.output_dir))
    folder.origin = Origin.here()
    return folder


@contextmanager
def opened_parts(recipe: Recipe, observer: Observer) -> Iterator[Parts]:
    """All that a run would open; nothing is written. Raises UserError."""
    with ExitStack() as opened:
        yield open_parts(recipe, new_folder(recipe), observer, opened)
