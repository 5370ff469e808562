"""Of a layout nobody knows, the columns are named, and lines of a recipe that can be pasted."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.adapters import find_layout, read_row
from srpo.data.adapters.guess import guess
from srpo.data.adapters.mapped import mapped
from srpo.recipe.curation import Curation, RawSource
from srpo.types import UserError

PATHS = st.sampled_from(
    ["mine.jsonl", "a b/c: d.csv", "- x", "#1", "C:\\x", "owner/name:main:train"]
)
NAMES = st.text(max_size=12) | st.sampled_from(
    [
        "question",
        "my_prompt",
        "yes",
        "null",
        "1e3",
        "a: b",
        "#c",
        "'",
        '"',
        "x.y",
        "target",
        "tests",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.lists(st.integers()),
)


def pasted(lines: str) -> RawSource:
    [source] = Curation.model_validate(yaml.safe_load(lines)).sources
    return source


@given(st.dictionaries(NAMES, VALUES, max_size=6), PATHS)
def test_the_lines_are_a_recipe(row: dict[str, Any], path: str):
    source = pasted(guess(row, path))
    assert source.path == path
    assert source.columns is not None
    columns = {source.prompt_field, source.answer_field, source.tests_field} - {None}
    assert len(columns) == 2, "a question and something else to grade by"
    assert columns <= {*row, "prompt", "answer"}


@pytest.mark.parametrize(
    ("row", "prompt", "gold"),
    [
        ({"the_query": "How many?", "target": 7}, "the_query", "7"),
        ({"Instruction": "How many?", "final_answer": "7", "n": 1}, "Instruction", "7"),
        ({"uid": "x", "words": "How many are there of these?", "num": 7}, "words", "7"),
        ({"query": [{"role": "user", "content": "How many?"}], "gold": 7}, "query", "7"),
        ({"input": "How many?", "output": 7}, "input", "7"),
    ],
)
def test_the_likeliest_columns_of_mathematics(row: dict[str, Any], prompt: str, gold: str):
    with pytest.raises(UserError) as caught:
        find_layout(row, "mine.jsonl")
    said, _, lines = str(caught.value).partition("\n")
    assert all(f"{column!r}" in said for column in row)
    source = pasted(lines)
    assert (source.prompt_field, source.domain) == (prompt, "math")
    assert source.columns is not None
    found = read_row(mapped(source.columns), row, "mine", 0)
    assert found.prompt in {"How many?", row.get("words")}
    assert found.answer == (gold,)


@pytest.mark.parametrize("tests", [["assert f(1) == 2"], '["assert f(1) == 2"]'])
def test_the_likeliest_columns_of_code(tests: Any):
    row = {"instruction": "Write f.", "unit_tests": tests, "code": "f = abs"}
    with pytest.raises(UserError) as caught:
        find_layout(row, "mine.jsonl")
    source = pasted(str(caught.value).partition("\n")[2])
    assert (source.domain, source.tests_field) == ("code", "unit_tests")
    assert source.columns is not None
    found = read_row(mapped(source.columns), row, "mine", 0)
    assert found.tests == {"type": "asserts", "asserts": ["assert f(1) == 2"]}


def test_a_row_of_very_many_columns_and_one_that_is_none():
    with pytest.raises(UserError) as caught:
        find_layout({f"column {n}": "x" * n for n in range(5000)} | {"q" * 10**6: 1}, "mine.jsonl")
    assert len(str(caught.value)) < 1000
    with pytest.raises(UserError, match="must be an object, got"):
        find_layout([1], "mine.jsonl")  # pyright: ignore
