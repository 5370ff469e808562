"""What the nano base model reads: questions with answers as an uneven crowd would write them.

As on the web, most answers are short and many are wrong; some work step by step, and those
are better. That unevenness is the point: the base model learns *several* ways to answer, and
reinforcement learning finds the good one. The shares below are the corpus' whole recipe.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from srpo.nano.code_tasks import CodeTask, Part, Pipeline, code_task
from srpo.nano.math_tasks import FAMILIES, LEVELS, MathTask

STEP_BY_STEP = 0.2  # share of answers that work step by step
UNBOXED = 0.06  # share of answers that forget the answer's format
MATH_GUESS = 0.25  # share of short math answers that are a guess near the truth
MATH_SLIP = 0.04  # chance that a written step is wrong
MATH_MEND = 0.25  # chance that the writer notices the slip and mends it
CODE_MISS_SHORT = 0.36  # chance, per part of the question, of a near miss in a short answer
CODE_MISS_LONG = 0.08  # the same, where the parts are first written down
CODE_TYPO = 0.04  # chance of a function that does not parse

SPLITS = 16  # a problem's split is fixed by its text, so no two splits share a problem


@dataclass(frozen=True)
class Document:
    """A question and an answer to it; both are read, the loss is on the answer alone."""

    prompt: str
    response: str


def split_of(question: str) -> str:
    """ "heldout" (1 in 16), "train" (3 in 16: for reinforcement learning) or "pretrain"."""
    bucket = zlib.crc32(question.encode()) % SPLITS
    return "heldout" if bucket == 0 else "train" if bucket <= 3 else "pretrain"


def draw_math(rng: random.Random, split: str, levels: Sequence[int] = LEVELS) -> MathTask:
    """A task whose question belongs to `split`, of any family."""
    while True:
        task = rng.choice(FAMILIES)(rng, rng.choice(levels))
        if split_of(task.question) == split:
            return task


def draw_code(rng: random.Random, split: str) -> CodeTask:
    """A task whose question belongs to `split`."""
    while True:
        task = code_task(rng)
        if split_of(task.question) == split:
            return task


def prompt_of(task: MathTask | CodeTask) -> str:
    """The question as the model reads it: it ends its line."""
    return task.question + "\n"


def document(rng: random.Random) -> Document:
    """One document of the pretraining corpus."""
    if rng.random() < 0.5:
        math = draw_math(rng, "pretrain")
        return Document(prompt_of(math), math_response(rng, math))
    code = draw_code(rng, "pretrain")
    return Document(prompt_of(code), code_response(rng, code))


def math_response(rng: random.Random, task: MathTask) -> str:
    """As one of the crowd answers: at once, or step by step; right, or not."""
    if rng.random() < STEP_BY_STEP:
        lines: list[str] = []
        answer = task.solve(lambda e, v: _written_step(rng, lines, e, v))
        return "".join(f"{line}\n" for line in lines) + _boxed(rng, answer)
    answer = task.answer
    if rng.random() < MATH_GUESS:
        answer = _near(rng, answer)
    return _boxed(rng, answer)


def _written_step(rng: random.Random, lines: list[str], expression: str, value: int) -> int:
    if rng.random() >= MATH_SLIP:
        lines.append(f"{expression}={value}")
        return value
    wrong = _near(rng, value)
    lines.append(f"{expression}={wrong}")
    if rng.random() >= MATH_MEND:
        return wrong
    lines.append(f"wait, {expression}={value}")
    return value


def _near(rng: random.Random, value: int) -> int:
    return max(0, value + rng.choice((-10, -2, -1, 1, 2, 10)))


def _boxed(rng: random.Random, answer: int) -> str:
    return f"{answer}" if rng.random() < UNBOXED else f"\\boxed{{{answer}}}"


def code_response(rng: random.Random, task: CodeTask) -> str:
    """As one of the crowd answers: a function, perhaps after a plan; right, or not."""
    careful = rng.random() < STEP_BY_STEP
    miss = CODE_MISS_LONG if careful else CODE_MISS_SHORT
    written = Pipeline(*(_understood(rng, part, miss) for part in task.parts))
    code = written.function()
    if rng.random() < CODE_TYPO:
        drop = rng.choice([i for i, c in enumerate(code) if c in "():"])
        code = code[:drop] + code[drop + 1 :]
    plan = _plan(task, written) if careful else ""
    return plan + (code if rng.random() < UNBOXED else f"```python\n{code}\n```")


def _understood(rng: random.Random, part: Part, miss: float) -> str:
    return rng.choice(part.near) if rng.random() < miss else part.code


def _plan(task: CodeTask, written: Pipeline) -> str:
    """The question taken apart, a line for each part, before any code is written."""
    source, keep, mapped, end = (part.words.strip() for part in task.parts)
    return (
        f"{source}: {written.source}\n"
        f"{keep}: {written.keep or 'all'}\n"
        f"{mapped or 'as is'}: {written.map}\n"
        f"{end}: {written.end}\n"
    )
