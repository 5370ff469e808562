"""Mutated programs through code grading: no crash, no hang, no `correct` that is not correct.

    python benchmarks/fuzz_code.py [--programs 50000] [--seed N]

Programs are small functions of integers with characters changed, added and dropped; each is
graded by the sandbox, in turn as `function`, `asserts`, `check` and `stdin` tests, and judged
once more in this process (their letters can do no harm). The two must agree.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from srpo.grading.grade import Grader
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome, Problem

LETTERS = "xn0123456789+-/%()=<>: \n,"
KINDS = ("function", "asserts", "check", "stdin")
BODY = (
    "def f(x):\n    n = x % {m}\n    if n < {k}:\n        return {a} * x + {b}\n    return n - x\n"
)


def mutate(rng: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len("def f(x):"), len(letters))
        rng.choice(
            (
                lambda at=at: letters.__setitem__(at, rng.choice(LETTERS)),
                lambda at=at: letters.insert(at, rng.choice(LETTERS)),
                lambda at=at: letters.pop(at),
            )
        )()
    return "".join(letters)


def values(code: str, inputs: list[int]) -> list[Any]:
    """What the function returns; a mark of its own where it fails."""
    names: dict[str, Any] = {"__builtins__": {}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(code, "program", "exec"), names)
        return [names["f"](x) for x in inputs]
    except BaseException:
        return [object()]


def tests_of(kind: str, inputs: list[int], expected: list[int]) -> dict[str, Any]:
    pairs = list(zip(inputs, expected, strict=True))
    asserts = [f"assert f({x}) == {y}" for x, y in pairs]
    if kind == "function":
        cases = [{"args": [x], "expected": y} for x, y in pairs]
        return {"type": kind, "entry_point": "f", "cases": cases}
    if kind == "stdin":
        text = "\n".join(map(str, inputs))
        return {"type": kind, "cases": [{"input": text, "output": " ".join(map(str, expected))}]}
    if kind == "asserts":
        return {"type": kind, "asserts": asserts}
    lines = "".join(f"    {line.replace('f(', 'candidate(')}\n" for line in asserts)
    return {"type": kind, "entry_point": "f", "code": f"def check(candidate):\n{lines}"}


def cases(rng: random.Random, count: int, equal: list[bool]) -> Iterator[tuple[Problem, str]]:
    for index in range(count):
        numbers = {name: rng.randint(2, 30) for name in "mkab"}
        code = BODY.format(**numbers)
        inputs = [rng.randint(-99, 99) for _ in range(3)]
        expected, kind = values(code, inputs), KINDS[index % 4]
        program = mutate(rng, code)
        got = values(program, inputs)
        same = got == expected
        if kind == "function":  # as JSON: True is not 1
            same = same and all(type(v) in (int, float) for v in got)
        if kind == "stdin":
            same = list(map(str, got)) == list(map(str, expected))
            program += "\nimport sys\nprint(*[f(int(line)) for line in sys.stdin])\n"
        equal.append(same)
        tests = tests_of(kind, inputs, expected)
        yield Problem(f"{kind} {index}", "code", "", tests=tests), f"```python\n{program}\n```"


def main(
    programs: Annotated[int, typer.Option(help="How many.")] = 50_000,
    seed: Annotated[int | None, typer.Option(help="Of the programs; default: random.")] = None,
) -> None:
    seed = random.SystemRandom().randrange(10**9) if seed is None else seed
    tally, slowest, wrong, start = Counter[str](), 0.0, [], time.perf_counter()
    equal: list[bool] = []
    with Grader(VerifierConfig(), domains=["code"]) as grader:
        pairs = cases(random.Random(seed), programs, equal)
        for index, graded in enumerate(grader.grade_many(pairs)):
            outcome = graded.verdict.outcome
            tally[f"{'equal' if equal[index] else 'different'} {outcome}"] += 1
            slowest = max(slowest, graded.verdict.seconds)
            if outcome is not (Outcome.CORRECT if equal[index] else Outcome.INCORRECT):
                wrong.append(f"{graded.id}: {graded.verdict}")
    pace = programs / (time.perf_counter() - start)
    print(f"seed {seed}: {programs:,} programs, {dict(sorted(tally.items()))}")
    print(f"{pace:,.0f}/s, slowest {slowest:.2f} s, {len(wrong)} verdicts that differ")
    print(*wrong[:20], sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    typer.run(main)
