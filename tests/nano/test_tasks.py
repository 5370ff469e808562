"""Nano's problems are right: an independent evaluation of each question agrees."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable

import pytest

from srpo.nano.code_tasks import CodeTask, Pipeline, code_task, compile_function
from srpo.nano.math_tasks import FAMILIES, LEVELS, MathTask

DRAWS = 60


def numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"-?\d+", text)]


def compute(question: str) -> int:
    found = re.fullmatch(r"Compute ([-+*%()\d]+)\.", question)
    assert found, question
    return eval(found[1])


def solve_equation(question: str) -> int:
    found = re.fullmatch(r"Solve (.+)=(.+)\.", question)
    assert found, question
    sides = [re.sub(r"(\d)([x(])", r"\1*\2", s) for s in found.groups()]
    roots = [x for x in range(200) if eval(sides[0], {"x": x}) == eval(sides[1], {"x": x})]
    assert len(roots) == 1, question
    return roots[0]


def pick(question: str) -> int:
    parity = 0 if "even" in question else 1
    return sum(n for n in numbers(question) if n % 2 == parity)


INDEPENDENT: dict[str, Callable[[str], int]] = {
    "chain_sum": compute,
    "product": compute,
    "remainder": compute,
    "brackets": compute,
    "gcd": lambda q: math.gcd(*numbers(q)),
    "equation": solve_equation,
    "digit_sum": lambda q: sum(int(c) for c in q if c.isdigit()),
    "pick_and_add": pick,
}


def tasks_of(family: Callable[[random.Random, int], MathTask], level: int) -> list[MathTask]:
    rng = random.Random(f"{family.__name__} {level}")
    return [family(rng, level) for _ in range(DRAWS)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_the_answer_equals_an_independent_evaluation(
    family: Callable[[random.Random, int], MathTask], level: int
) -> None:
    tasks = tasks_of(family, level)
    for task in tasks:
        assert task.answer == INDEPENDENT[family.__name__](task.question), task.question
        assert (task.family, task.level) == (family.__name__, level)
    assert len({t.question for t in tasks}) > DRAWS / 3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_every_written_step_is_true_and_the_last_is_the_answer(
    family: Callable[[random.Random, int], MathTask], level: int
) -> None:
    for task in tasks_of(family, level):
        steps: list[tuple[str, int]] = []
        answer = task.solve(lambda e, v, s=steps: (s.append((e, v)), v)[1])
        assert steps, "there is something to write down"
        for expression, value in steps:
            assert eval(expression) == value, (task.question, expression)
        if family.__name__ != "gcd":  # its last step is the remainder 0
            assert steps[-1][1] == answer


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_a_slip_carries_through_to_the_answer(
    family: Callable[[random.Random, int], MathTask],
) -> None:
    changed = 0
    for task in tasks_of(family, 4):
        slipped = [True]

        def do(_expression: str, value: int, first: list[bool] = slipped) -> int:
            return value + 12 if first and first.pop() else value

        changed += task.solve(do) != task.answer
    assert changed > DRAWS / 2


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_higher_levels_are_more_work(
    family: Callable[[random.Random, int], MathTask],
) -> None:
    def work(level: int) -> int:
        written: list[str] = []
        for task in tasks_of(family, level):
            task.solve(lambda e, v, w=written: (w.append(f"{e}={v}"), v)[1])
        return sum(map(len, written))

    assert work(1) < work(4)


def code_tasks(n: int = 80) -> list[CodeTask]:
    rng = random.Random(4)
    return [code_task(rng) for _ in range(n)]


def outcome(source: str, argument: object) -> object:
    try:
        return compile_function(source)(argument)
    except Exception as error:
        return type(error)


def passes(source: str, task: CodeTask) -> bool:
    return all(outcome(source, c["args"][0]) == c["expected"] for c in task.cases())


def test_the_reference_passes_its_own_cases_and_cases_repeat() -> None:
    for task in code_tasks():
        assert passes(task.pipeline.function(), task)
        assert task.cases() == task.cases()
        assert 1 <= task.level <= 4


def written_out(task: CodeTask, argument: object) -> object:
    """The question's own words, evaluated without looking at the task's code."""
    found = re.fullmatch(r"Write f\((?:xs|n)\): the (.*) (in xs|from 1 to n|in the digits of n)\.",
                         task.question)  # fmt: skip
    assert found, task.question
    words, source = found.groups()
    if source == "in xs":
        values = list(argument)  # pyright: ignore
    elif source == "from 1 to n":
        values = list(range(1, argument + 1))  # pyright: ignore
    else:
        values = [int(c) for c in str(argument)]
    end, words = re.match(
        r"(sum|number of different|largest \(or 0\)|smallest \(or 0\)|sorted list|list)"
        r"(?: of)?(?: the)? (.*)", words
    ).groups()  # fmt: skip # pyright: ignore
    maps: list[tuple[str, Callable[[int, int], int]]] = [
        (r"squares of the ", lambda x, k: x**2),
        (r"doubles of the ", lambda x, k: 2 * x),
        (r"negatives of the ", lambda x, k: 0 - x),
        (r"remainders by (\d+) of the ", lambda x, k: x - k * (x // k)),
        (r"(\d+)-folds of the ", lambda x, k: k * x),
        (r"successors of the ", lambda x, k: x + 1),
    ]
    change, by = (lambda x, k: x), 0
    for pattern, function in maps:
        if hit := re.match(pattern, words):
            change, by = function, int(hit[1]) if hit.groups() else 0
            words = words[hit.end() :]
    k = (numbers(words) or [0])[0]
    keep: dict[str, Callable[[int], bool]] = {
        "numbers": lambda x: True,
        "even numbers": lambda x: x & 1 == 0,
        "odd numbers": lambda x: x & 1 == 1,
        f"numbers above {k}": lambda x: x > k,
        f"numbers below {k}": lambda x: x < k,
        f"multiples of {k}": lambda x: k != 0 and x // k * k == x,
    }
    left = [change(x, by) for x in values if keep[words](x)]
    return {
        "sum": sum(left),
        "number of different": len(set(left)),
        "largest (or 0)": max(left, default=0),
        "smallest (or 0)": min(left, default=0),
        "list": left,
        "sorted list": sorted(left),
    }[end]


def test_the_hidden_cases_are_what_the_words_say() -> None:
    for task in code_tasks():
        for case in task.cases():
            assert case["expected"] == written_out(task, case["args"][0]), task.question


def test_most_near_misses_fail() -> None:
    failed = total = 0
    for task in code_tasks():
        codes = [part.code for part in task.parts]
        for at, part in enumerate(task.parts):
            for near in part.near:
                source, keep, mapped, end = (*codes[:at], near, *codes[at + 1 :])
                written = Pipeline(source, keep, mapped, end)
                total += 1
                failed += not passes(written.function(), task)
    assert failed / total > 0.8


def test_no_constant_solves_a_task() -> None:
    for task in code_tasks():
        expected = [str(c["expected"]) for c in task.cases()]
        assert len(set(expected)) >= 4
