"""Layouts of mathematical sets: each is found by its columns, and read for what it has."""

from __future__ import annotations

import random
from typing import Any

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.adapters.mapped import mapped
from srpo.data.candidate import Candidate
from srpo.errors import RowFault
from srpo.recipe.schema import Source
from srpo.types import UserError

N = random.randrange(10, 100)
SOLVED = f"Twice the half is \\boxed{{{N}}}."


def read(row: dict[str, Any]) -> tuple[str, Candidate]:
    layout = find_layout(row, "here")
    return layout.name, read_row(layout, row, "set", 3)


def eurus(**columns: Any) -> dict[str, Any]:
    asked = "How many?\n\nPresent the answer in LaTex format: \\boxed{Your answer}"
    row = {
        "data_source": "numina_olympiads",
        "prompt": [
            {"role": "system", "content": "Think first."},
            {"role": "user", "content": asked},
        ],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": str(N)},
        "extra_info": {"split": "train", "index": 7},
    }
    return row | columns


def test_eurus():
    name, found = read(eurus())
    assert name == "eurus"
    assert (found.domain, found.prompt, found.system) == ("math", "How many?", "Think first.")
    assert found.answer == (str(N),)
    assert found.meta == {"topic": "numina_olympiads", "original_id": 7}
    tests = f'{{"inputs": ["{N}\\n"], "outputs": ["{2 * N}\\n"]}}'
    asked = "Read n; print 2n.\n\nWrite Python code to solve the problem. Present the code in "
    asked += "\n```python\nYour code\n```\nat the end."
    code = {"data_source": "taco", "ability": "code", "reward_model": {"ground_truth": tests}}
    name, found = read(eurus(prompt=[{"role": "user", "content": asked}], **code))
    assert (name, found.domain, found.prompt) == ("eurus", "code", "Read n; print 2n.")
    assert found.tests == {
        "type": "stdin",
        "cases": [{"input": f"{N}\n", "output": f"{2 * N}\n"}],
    }
    assert found.system is None


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"prompt": [{"role": "assistant", "content": "?"}]}, "expected messages of one turn"),
        ({"reward_model": "{"}, "reward_model is '{': no JSON"),
        ({"reward_model": [1]}, "reward_model is [1]: expected an object"),
        ({"reward_model": {"ground_truth": {"a": 1}}}, "expected a text or a number"),
        ({"extra_info": {"solve_rate": 2}}, "solve_rate is 2: expected a number from 0 to 1"),
        ({"ability": "code", "reward_model": {"ground_truth": "[1]"}}, "expected input and output"),
    ],
)
def test_a_bad_row_of_eurus(columns: dict[str, Any], says: str):
    with pytest.raises(RowFault) as caught:
        read(eurus(**columns))
    assert str(caught.value).startswith("set row 3 (eurus): ")
    assert says in str(caught.value)


@pytest.mark.parametrize("votes", ["correctness_math_verify", "correctness"])
def test_openr1(votes: str):
    row = {
        "problem": "How many?",
        "solution": SOLVED,
        "answer": str(N),
        "problem_type": "Algebra",
        "question_type": "math-word-problem",
        "source": "olympiads",
        "uuid": "f00",
        "generations": ["a", "b", "c", "d"],
        votes: [True, False, True, True],
    }
    name, found = read(row)
    assert name == "openr1"
    assert (found.prompt, found.answer, found.solution) == ("How many?", (str(N),), SOLVED)
    assert found.pass_rate == 0.75
    assert found.meta == {"topic": "Algebra", "original_id": "f00"}


def test_deepscaler():
    name, found = read({"problem": "How many?", "answer": str(N), "solution": ""})
    assert (name, found.answer, found.solution, found.meta) == ("deepscaler", (str(N),), None, {})
    _, boxed = read({"problem": "How many?", "answer": "", "solution": SOLVED})
    assert boxed.answer == (str(N),)


def test_minerva():
    row = {"type": "Introduction to Astronomy", "idx": 0, "problem": "How many?"}
    name, found = read(row | {"solution": SOLVED})
    assert (name, found.answer) == ("minerva", (str(N),))
    assert found.meta == {"topic": row["type"], "original_id": 0}
    assert read(row | {"solution": "No box."})[1].answer == ()


def test_math500():
    row = {
        "problem": "How many?",
        "solution": SOLVED,
        "answer": f"{N}\\pi",
        "subject": "Precalculus",
        "level": 2,
        "unique_id": "test/precalculus/807.json",
    }
    name, found = read(row)
    assert (name, found.answer) == ("math500", (f"{N}\\pi",))
    wanted = {"topic": "Precalculus", "level": 2, "original_id": row["unique_id"]}
    assert found.meta == wanted


@pytest.mark.parametrize("column", ["problem", "solution"])
@pytest.mark.parametrize("value", [7, ["x"], {"a": 1}, b"x", "a\ud800"])
def test_a_column_of_another_type_is_a_fault(column: str, value: Any):
    row = {"problem": "How many?", "answer": "1", "solution": SOLVED, column: value}
    with pytest.raises(RowFault, match=r"set row 3 \(deepscaler\): "):
        read(row)


def source(**fields: Any) -> Source:
    return Source(path="x", **{"domain": "math", **fields})


def test_named_columns():
    layout = mapped(
        source(
            id_field="info.n", prompt_field="q", answer_field="info.a", answer_pattern=r"= (\d+)"
        )
    )
    row = {"q": [{"role": "user", "content": "?"}], "info": {"n": 9, "a": f"x = {N}"}, "level": 3}
    found = read_row(layout, row, "set", 0)
    assert (found.prompt, found.answer) == ("?", (str(N),))
    assert found.meta == {"original_id": 9, "level": 3}
    with pytest.raises(RowFault, match="answer_pattern"):
        read_row(layout, row | {"info": {"a": "none"}}, "set", 0)
    with pytest.raises(RowFault, match="expected a text or messages of one turn"):
        read_row(layout, row | {"q": [1]}, "set", 0)
    with pytest.raises(RowFault, match="prompt is 7: expected a text"):
        read_row(layout, row | {"q": 7}, "set", 0)
    assert read_row(layout, {}, "set", 0).prompt == ""
    assert read_row(layout, {"q": None, "info": {}}, "set", 0).answer == ()


def test_named_columns_of_code():
    layout = mapped(source(domain="code", tests_field="t", reference_field="solution.code"))
    tests = ["assert f(1) == 2"]
    for given in (tests, '["assert f(1) == 2"]'):
        row = {"prompt": "?", "t": given, "solution": {"code": "f = abs"}}
        found = read_row(layout, row, "set", 0)
        assert (found.domain, found.reference) == ("code", "f = abs")
        assert found.tests == {"type": "asserts", "asserts": tests}
    with pytest.raises(RowFault, match="no JSON"):
        read_row(layout, {"prompt": "?", "t": "{"}, "set", 0)
    with pytest.raises(RowFault, match="reference is 7"):
        read_row(layout, {"prompt": "?", "solution": {"code": 7}}, "set", 0)
    with pytest.raises(UserError, match="curation knows math and code"):
        mapped(source(domain="own.module:NAME"))
