"""Rows made to harm are one fault each, soon; no code of a row runs where rows are read."""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.adapters import find_layout, read_row
from srpo.errors import RowFault
from srpo.types import UserError

SECONDS = 10  # of this process


def fault(row: dict[str, Any]) -> str:
    began = time.process_time()
    with pytest.raises(RowFault) as caught:
        read_row(find_layout(row, "here"), row, "set", 3)
    message = str(caught.value)
    assert time.process_time() - began < SECONDS
    assert message.startswith("set row 3 (")
    assert len(message.splitlines()) == 1
    assert len(message) < 600
    return message


def private(packed: str) -> dict[str, Any]:
    return {"question_content": "?", "question_id": "1", "private_test_cases": packed}


def deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


class Runs:
    """Runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.mark}",))


class Elsewhere(pickle.Pickler):
    def persistent_id(self, obj: Any, /) -> Any:
        return "id" if isinstance(obj, bytes) else None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_that_are_programs(tmp_path: Path, protocol: int):
    mark = tmp_path / "mark"
    values: list[Any] = [
        Runs(mark),
        [Runs(mark)],
        {"input_output": Runs(mark)},
        {"input_output": "[]", "more": [("x", Runs(mark))]},
        ("text", {1, 2}, b"bytes"),
        1 << 10_000,
        [[[["text"]]]],
    ]
    for value in values:
        assert "private_test_cases is a pickle" in fault(
            private(deflated(pickle.dumps(value, protocol)))
        )
    assert not mark.exists()


def test_pickles_with_objects_of_elsewhere(tmp_path: Path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with (tmp_path / "x").open("wb") as file:
            Elsewhere(file, protocol).dump({"input_output": b"x"})
        packed = deflated((tmp_path / "x").read_bytes())
        assert "expected one of a text" in fault(private(packed))


TEXT = b"X\x02\x00\x00\x00[]"
PICKLES = {
    "a global and a call": b"cos\nsystem\n(S'true'\ntR.",
    "an instance": b"(S'true'\nios\nsystem\n.",
    "a memo of 2 billion": TEXT + b"r\xff\xff\xff\x7f.",
    "a memo of 9 digits": TEXT + b"p999999999\n.",
    "a text of 2**62 bytes": b"\x8d" + struct.pack("<Q", 1 << 62) + b"[].",
    "a text of 4 GB": b"X\xff\xff\xff\xff[].",
    "a frame of 2**62 bytes": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + TEXT + b".",
    "ten doublings of a list": b"]" + b"(h\x00h\x00e" * 10 + b".",
    "marks and no end": b"(" * (64 << 20),
    "dictionaries and no end": b"}" * (64 << 20),
    "an extension": b"\x82\x01.",
    "no end": TEXT,
    "nothing": b"",
    "a text as a key of itself": b"}" + TEXT + b"}s.",
    "an empty stack": b".",
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_by_hand(name: str):
    assert "private_test_cases is a" in fault(private(deflated(PICKLES[name])))


@given(st.binary(max_size=99), st.booleans())
def test_pickles_by_chance(data: bytes, before: bool):
    whole = data + TEXT + b"." if before else TEXT + data
    row = private(deflated(whole))
    try:
        found = read_row(find_layout(row, "here"), row, "set", 0)
    except RowFault:
        return
    assert found.tests is None, "the text is an empty list"


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        ("é", "is neither JSON nor base64"),
        ("{", "is neither JSON nor base64"),
        ("abc", "is neither JSON nor base64"),
        (base64.b64encode(random.randbytes(1000)).decode(), "is not readable as zlib"),
        (base64.b64encode(zlib.compress(b"x" * 1000)[:9]).decode(), "was cut off once decompr"),
        (deflated(bytes(257 << 20)), "has more than 268435456 bytes once decompressed"),
        (deflated(pickle.dumps("no json")), "no JSON"),
        (deflated(pickle.dumps("[" * 100_000)), "no JSON"),
        (deflated(pickle.dumps('{"a": 1}')), "expected a list of tests"),
        (deflated(pickle.dumps("[1]")), "expected input and output"),
    ],
)
def test_what_is_packed_otherwise(packed: str, says: str):
    assert says in fault(private(packed))


MEGABYTES = 10 << 20
SOURCES = {
    "brackets": "x = " + "(" * 100_000 + ")" * 100_000,
    "lists": "x = " + "[" * 150 + "]" * 150 + "\n" + "if x:\n" * 200,
    "signs": "x = " + "-" * 500_000 + "1",
    "sums": "x = " + "1+" * 400_000 + "1",
    "attributes": "x = a" + ".b" * 300_000,
    "calls": "x = f" + "()" * 300_000,
    "negations": "x = " + "not " * 100_000 + "1",
    "lambdas": "x = " + "lambda: " * 50_000 + "1",
    "blocks": "".join(" " * n + "if 1:\n" for n in range(1000)) + " " * 1000 + "pass",
    "decorators": "@f\n" * 20_000 + "def g(): pass",
    "ten megabytes": "x = 1\n" * (MEGABYTES // 6),
    "ten megabytes of a text": "x = '" + "x" * MEGABYTES + "'",
    "ten megabytes of a number": "x = " + "1" * MEGABYTES,
    "a long number": "x = " + "1" * 900_000,
    "no text": "x = '\ud800'",
    "a zero": "x = '\0'",
}
CHECK = "def check(candidate):\n    assert candidate(1) == 2\n"


def humaneval(**columns: Any) -> dict[str, Any]:
    row = {"task_id": "HumanEval/0", "prompt": "def f(n):\n", "entry_point": "f"}
    return row | {"canonical_solution": "    return 2 * n\n", "test": CHECK} | columns


def settled(row: dict[str, Any]) -> None:
    """It is read, or is one fault: some deep sources are deep enough for one Python only."""
    began, said = time.process_time(), ""
    try:
        read_row(find_layout(row, "here"), row, "set", 3)
    except RowFault as error:
        said = str(error)
    assert time.process_time() - began < SECONDS
    assert len(said) < 600
    assert "\n" not in said


@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_are_bombs(name: str):
    source = SOURCES[name]
    plus = {"base_input": [[1]], "plus_input": [], "atol": 0}
    settled(humaneval(test=f"{source}\n{CHECK}"))
    settled(humaneval(prompt=f"{source}\ndef f(n):\n"))
    settled(humaneval(canonical_solution=f"    return 1\n{source}\n", **plus))
    settled(humaneval(entry_point=source, **plus))
    settled({"text": "?", "code": "f = abs", "test_list": [source], "test_setup_code": ""})
    settled({"question": "?", "input_output": "", "solutions": [source, "print(1)"]})
    if "megabytes" in name:
        assert "characters: give at most" in fault(humaneval(test=f"{source}\n{CHECK}"))
        assert "too long" in fault(humaneval(canonical_solution=f"    pass\n{source}\n", **plus))


@pytest.mark.parametrize(
    "test",
    ["", "   ", "f(1) ==", "import os; os.system('touch {mark}')", "__import__('os').abort()",
     "assert f(1) == 2; raise SystemExit", "while True: pass", "assert", "return", "x" * 10**6],
)  # fmt: skip
def test_asserts_that_are_none(test: str, tmp_path: Path):
    mark = tmp_path / "mark"
    tests = ["assert f(1) == 2", test.replace("{mark}", str(mark))]
    settled({"text": "?", "code": "f = abs", "test_list": tests, "test_setup_code": ""})
    assert not mark.exists()
    if test in ("f(1) ==", "assert", "return"):
        row = {"text": "?", "code": "f = abs", "test_list": tests, "test_setup_code": ""}
        assert "tests.asserts[1] is" in fault(row)
    assert "expected a list of texts" in fault({"text": "?", "code": "", "test_list": [1]})


def test_values_that_are_deep():
    """As deep as JSON can be read: what shows or writes them may not go so deep."""
    deep: Any = json.loads("[" * 900 + "]" * 900)
    rows = [
        {"question": "?", "answer": deep},
        {"problem": "?", "answer": deep, "url": deep},
        {"prompt": deep, "answer": "1"},
        {"prompt": "?", "answer": "1", "meta": {"a": deep}},
        {"problem": "?", "tests": deep},
        humaneval(base_input=[[deep]], plus_input=[], atol=0),
        {"question": "?", "input_output": {"inputs": [deep], "outputs": [deep], "fn_name": "f"}},
    ]
    for row in rows:
        with pytest.raises(UserError) as caught:
            read_row(find_layout(row, "here"), row, "set", 3)
        assert len(str(caught.value)) < 900


def test_a_reference_with_braces_stays_what_it_is():
    solution = "    inputs, first = n, 2\n    return len(f'{inputs}{first}') and n * first\n"
    row = humaneval(canonical_solution=solution, base_input=[["{compare}"]], plus_input=[], atol=0)
    found = read_row(find_layout(row, "here"), row, "set", 3)
    assert found.tests is not None
    assert "{inputs}{first}" in found.tests["code"]
    assert "[['{compare}']]" in found.tests["code"]
