"""Grading: the Python entry, its pooled and async forms, and the file command."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from srpo.cli import app
from srpo.grading.grade import Grader, grade
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome, Problem, UserError
from walls import needs_walls

ADD: dict[str, dict[str, Any]] = {
    "function": {"type": "function", "entry_point": "add",
                 "cases": [{"args": [1, 2], "expected": 3}]},
    "asserts": {"type": "asserts", "asserts": ["assert add(1, 2) == 3"]},
    "check": {"type": "check", "entry_point": "add",
              "code": "def check(candidate):\n    assert candidate(1, 2) == 3"},
    "stdin": {"type": "stdin", "cases": [{"input": "1 2", "output": "3"}]},
}  # fmt: skip
RIGHT = "def add(a, b):\n    return a + b"


def math_row(a: int, b: int) -> dict[str, Any]:
    return {"id": f"{a}+{b}", "domain": "math", "prompt": f"{a} + {b}?", "answer": str(a + b)}


def code_row(kind: str) -> dict[str, Any]:
    return {"id": kind, "domain": "code", "prompt": "Add.", "tests": ADD[kind]}


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def test_one_verdict():
    a, b = random.sample(range(1000), 2)
    assert grade(math_row(a, b), f"It is \\boxed{{{a + b}}}").outcome is Outcome.CORRECT
    assert grade(math_row(a, b), f"It is \\boxed{{{a + b + 1}}}").outcome is Outcome.INCORRECT


@needs_walls
@pytest.mark.parametrize("kind", ADD)
def test_every_kind_of_tests(kind: str):
    right = "print(sum(map(int, input().split())))" if kind == "stdin" else RIGHT
    wrong = right.replace("sum", "max").replace("a + b", "a - b")
    with Grader(domains=["code"]) as grader:
        assert grader.grade(code_row(kind), fenced(right)).outcome is Outcome.CORRECT
        assert grader.grade(code_row(kind), fenced(wrong)).outcome is Outcome.INCORRECT


def test_many_come_in_order_with_rewards():
    rng = random.Random()
    sums = [(rng.randrange(10**6), rng.randrange(10**6)) for _ in range(500)]
    right = [rng.random() < 0.5 for _ in sums]
    pairs = [
        (math_row(a, b), f"\\boxed{{{a + b + (0 if ok else 1)}}}")
        for (a, b), ok in zip(sums, right, strict=True)
    ]
    with Grader(domains=["math"]) as grader:
        graded = list(grader.grade_many(pairs))
    assert [g.id for g in graded] == [row["id"] for row, _ in pairs]
    assert [g.verdict.outcome is Outcome.CORRECT for g in graded] == right
    assert [g.reward.total for g in graded if g.reward] == [1.1 if ok else 0.1 for ok in right]


def test_reads_no_more_than_it_needs():
    """A file larger than memory can be graded: rows are taken as verdicts go out."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield math_row(taken, 1), f"\\boxed{{{taken + 1}}}"

    with Grader(domains=["math"]) as grader:
        graded = grader.grade_many(endless())
        for _ in range(300):
            assert next(graded).verdict.outcome is Outcome.CORRECT
        assert taken < 300 + 65 * grader.pool.workers


def test_async_and_threads():
    """No signals, no main thread: a symbolic comparison works from asyncio and from threads."""
    problem = {"id": "x", "domain": "math", "prompt": "?", "answer": "x^2+2x+1"}
    found: list[Outcome] = []
    with Grader(domains=["math"]) as grader:

        async def both() -> list[Outcome]:
            texts = ("\\boxed{(x+1)^2}", "\\boxed{(x+2)^2}")
            verdicts = [grader.grade_async(problem, text) for text in texts]
            return [v.outcome for v in await asyncio.gather(*verdicts)]

        def in_a_thread() -> None:
            found.extend(asyncio.run(both()))

        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()
    assert found == [Outcome.CORRECT, Outcome.INCORRECT]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": "maths"}, "problem.domain is 'maths': choose one of math, code"),
        ({"id": ""}, "problem.id is ''"),
        ({"answer": None, "domain": None}, r"nothing to grade by; give answer \(math\), tests"),
        ({"prompt": 3}, "problem.prompt is 3"),
        ({"answer": []}, r"problem.answer is \[\]"),
        ({"answer": ["1", None]}, "problem.answer is"),
        ({"anwser": "1"}, "unknown key 'anwser'"),
        ({"domain": "code", "tests": "{"}, "problem.tests is '{': no JSON"),
        ({"domain": "code", "tests": {"type": "x"}}, "problem.tests.type is 'x'"),
    ],
)
def test_a_bad_problem_is_named(change: dict, words: str):
    with Grader(domains=["math"]) as grader, pytest.raises(UserError, match=words):
        grader.grade(math_row(1, 2) | change, "3")


def test_the_gold_tells_the_domain():
    a, b = random.sample(range(1000), 2)
    graded = grade({"prompt": f"{a} + {b}?", "answer": a + b}, f"\\boxed{{{a + b}}}")
    assert (graded.domain, graded.correct) == ("math", True)
    assert graded.reward is not None
    assert graded.reward.total == 1.1


@needs_walls
def test_tests_tell_the_domain():
    graded = grade({"prompt": "Add.", "tests": ADD["asserts"]}, fenced(RIGHT))
    assert (graded.domain, graded.correct) == ("code", True)


def test_prose_takes_answers_without_a_mark():
    row = math_row(*random.sample(range(1000), 2))
    with Grader(domains=["math"]) as grader:
        assert not grader.grade(row, row["answer"]).correct
    with Grader(VerifierConfig(prose=True), domains=["math"]) as grader:
        assert grader.grade(row, row["answer"]).correct
        assert not grader.grade(row, row["answer"] + "1").correct


def test_one_kind_of_result():
    """One response, many, and from asyncio: what comes back is the same."""
    row = math_row(2, 3)
    with Grader(domains=["math"]) as grader:
        one = grader.grade(row, "\\boxed{5}")
        (many,) = grader.grade_many([(row, "\\boxed{5}")])
        later = asyncio.run(grader.grade_async(row, "\\boxed{5}"))
    alone = grade(row, "\\boxed{5}")
    for other in (many, later, alone):
        assert other.row() | {"seconds": 0} == one.row() | {"seconds": 0}


def test_problems_and_rows_are_the_same():
    row = math_row(3, 4)
    problem = Problem(row["id"], "math", row["prompt"], row["answer"])
    assert grade(problem, "\\boxed{7}").outcome is grade(row, "\\boxed{7}").outcome


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@needs_walls
def test_a_file_of_both_domains(tmp_path: Path):
    tests = ADD["asserts"] | {"setup": "1 / 0"}
    broken = code_row("asserts") | {"id": "broken", "tests": tests}
    rows = [
        {"problem": math_row(20, 22), "response": "\\boxed{42}"},
        {"problem": code_row("check"), "response": fenced(RIGHT)},
        {"problem": broken, "response": fenced(RIGHT)},
        {"problem": math_row(20, 22), "response": "\\boxed{43}"},
    ]
    file, out = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    result = CliRunner().invoke(app, ["grade", str(file), "--out", str(out)])
    assert result.exit_code == 1, "an error of ours is shown by the exit status"
    assert "math: 1 of 2 correct (50.0%)" in result.stderr
    assert "code: 1 of 1 correct (100.0%), 1 errors of ours" in result.stderr
    graded = [json.loads(line) for line in out.read_text().splitlines()]
    assert [g["id"] for g in graded] == ["20+22", "check", "broken", "20+22"]
    assert [g["outcome"] for g in graded] == ["correct", "correct", "error", "incorrect"]
    assert [g["reward"] and g["reward"]["total"] for g in graded] == [1.1, 1.1, None, 0.1]
    assert "ZeroDivisionError" in graded[2]["detail"]
    assert "error in row 3 ('broken'): UserError: the problem's tests fail" in result.stderr
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "line 2: not valid JSON"),
        ({"problem": math_row(1, 1)}, "row 2: response is None"),
        ({"problem": 3, "response": ""}, "row 2: problem: must be an object, got 3"),
        (
            {"problem": math_row(1, 1), "response": "", "id": 1},
            "row 2: the column 'id' is one of the output; rename it",
        ),
    ],
)
def test_a_bad_row_costs_no_work(tmp_path: Path, row: Any, words: str):
    good = json.dumps({"problem": math_row(1, 1), "response": "\\boxed{2}"})
    file = tmp_path / "in.jsonl"
    file.write_text(f"{good}\n{row if isinstance(row, str) else json.dumps(row)}\n")
    result = CliRunner().invoke(app, ["grade", str(file), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_recipe_says_how(tmp_path: Path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "model: nano\nmax_steps: 1\ndata: {train: [{path: 'nano:math', domain: math}]}\n"
        "curriculum: {kind: math-only}\nreward: {accuracy: 2.0, format: 0.5}\n"
    )
    file = write(tmp_path / "in.jsonl", [{"problem": math_row(1, 1), "response": "\\boxed{2}"}])
    result = CliRunner().invoke(app, ["grade", str(file), "--recipe", str(recipe)])
    assert json.loads(result.stdout)["reward"]["total"] == 2.5
