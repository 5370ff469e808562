"""One row becomes one problem, or one line says what is wrong with it, whoever reads it."""

from __future__ import annotations

import copy
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.problem import parse_problem
from srpo.data.sources import load_problems
from srpo.grading.files import AnswerFile
from srpo.recipe.schema import Source
from srpo.types import UserError

MATH = {"id": "m", "domain": "math", "prompt": "6*7?", "answer": ["42", 42.0], "meta": {"level": 1}}
CALLS = {"type": "function", "entry_point": "f", "cases": [{"args": [[1]], "expected": {"a": 2.5}}]}
ASSERTS = {"type": "asserts", "setup": "import math", "asserts": ["assert f(1) == math.pi"]}
CODE = {"id": "c", "domain": "code", "prompt": "f?", "tests": CALLS}
DEEP = "[" * 200_000


@contextmanager
def one_line() -> Iterator[Callable[[], str]]:
    """A UserError whose message is one line of a length that people read."""
    with pytest.raises(UserError) as caught:
        yield lambda: str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (None, "p: must be an object, got None"),
        ([MATH], "p: must be an object"),
        (MATH | {"tset": 1, "a": 2}, "p: unknown key 'a'; known are id, domain, prompt, answer"),
        (MATH | {3: 4}, "p: unknown key 3"),
        (MATH | {"domain": ["math"]}, "p.domain is ['math']: choose one of math, code"),
        (MATH | {"domain": "x" * 9999}, "p.domain is 'xxx"),
        (MATH | {"id": None}, "p.id is None: give a text or a whole number"),
        (MATH | {"id": " "}, "p.id is ' '"),
        (MATH | {"id": {"a": 1}}, "p.id is {'a': 1}"),
        (MATH | {"id": True}, "p.id is True"),
        (MATH | {"id": 10**5000}, "p.id has more than 4300 digits"),
        (MATH | {"id": "\ud800"}, "p.id has a lone surrogate ('\\ud800') at character 1 of 1"),
        (MATH | {"prompt": None}, "p.prompt is None: give the question as a text"),
        (MATH | {"prompt": "a\udfff"}, "p.prompt has a lone surrogate ('\\udfff') at character 2"),
        (MATH | {"answer": "\ud800"}, "p.answer has a lone surrogate"),
        (MATH | {"answer": ["4", "\ud800"]}, "p.answer[1] has a lone surrogate"),
        (MATH | {"answer": math.nan}, "p.answer is nan: give a text, a finite number or a list"),
        (MATH | {"answer": [1, -math.inf]}, "p.answer is [1, -inf]"),
        (MATH | {"answer": [["4"]]}, "p.answer is [['4']]"),
        (MATH | {"answer": 10**5000}, "p.answer has more than 4300 digits"),
        (MATH | {"meta": [1]}, "p.meta is [1]: give an object, or leave it out"),
        (MATH | {"meta": "x"}, "p.meta is 'x'"),
        (MATH | {"meta": 0}, "p.meta is 0"),
        (CODE | {"tests": None}, "p.tests is None"),
        (CODE | {"tests": "{"}, "p.tests is '{': no JSON (Expecting property name"),
        (CODE | {"tests": DEEP}, "no JSON (it is nested too deep; give flatter values)"),
        (CODE | {"tests": "1" * 5000}, "no JSON (a number of more than 4300 digits; give it as a"),
        (CODE | {"tests": {"type": ["stdin"]}}, "p.tests.type is ['stdin']: choose one of"),
    ],
)
def test_a_bad_row_is_one_line(row: Any, says: str) -> None:
    with one_line() as message:
        parse_problem(row, "p")
    assert says in message()


def test_numbers_are_answers_as_their_text() -> None:
    for given_, taken in (
        (42, "42"),
        (2.5, "2.5"),
        (10**400, str(10**400)),
        ([1, "2"], ("1", "2")),
    ):
        assert parse_problem(MATH | {"answer": given_}, "p").answer == taken
    assert parse_problem(MATH | {"meta": None}, "p").meta == {}
    assert parse_problem(CODE | {"tests": json.dumps(CALLS)}, "p").tests == CALLS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place inside a value: a container, and a key of it."""
    if not isinstance(value, dict | list):
        return []
    inside: list[tuple[Any, Any]] = []
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        inside += [(value, key), *places(value[key])]
    return inside


def said(read: Callable[[], Any]) -> str:
    """The UserError's message; "" when there was none."""
    try:
        read()
    except UserError as error:
        return str(error)
    return ""


@given(
    st.sampled_from([MATH, CODE, CODE | {"tests": ASSERTS}]),
    st.lists(st.tuples(st.integers(0, 99), JSON), min_size=1, max_size=3),
    st.none() | st.tuples(st.integers(0, 999), st.binary(min_size=1, max_size=3)),
)
def test_any_row_is_good_or_one_line(
    row: dict[str, Any], changes: list[tuple[int, Any]], damage: tuple[int, bytes] | None
) -> None:
    """Through the reader of training and that of grading, with any field or byte replaced."""
    row = copy.deepcopy(row)
    for at, value in changes:
        found = places(row)
        container, key = found[at % len(found)] if found else (row, "id")
        container[key] = copy.deepcopy(value)
    line = json.dumps(row).encode()
    if damage:
        at, new = damage
        line = line[: at % len(line)] + new + line[at % len(line) + len(new) :]
    domain = row.get("domain")
    with tempfile.TemporaryDirectory() as folder:
        rows, pairs = Path(folder, "rows.jsonl"), Path(folder, "pairs.jsonl")
        rows.write_bytes(line)
        pairs.write_bytes(b'{"response": "x", "problem": %b}' % line)
        source = Source(path=str(rows), domain="code" if domain == "code" else "math")
        messages = [
            said(lambda: AnswerFile(pairs).check()),
            said(lambda: load_problems([source], "data.train", 0)),
        ]
    assert not any("\n" in message for message in messages)
    assert max(map(len, messages)) < 1500
