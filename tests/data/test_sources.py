"""Data sets are read row by row; a bad row is one line that names file, row and field."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.sources import NANO_DEFAULT, load_problems
from srpo.domains import SHIPPED
from srpo.nano.corpus import split_of
from srpo.recipe.schema import Source
from srpo.types import Problem, UserError

GOOD = {"id": "a", "prompt": "What is 1+1?", "answer": "2"}
TESTS = {"type": "stdin", "cases": [{"input": "1\n", "output": "2\n"}]}


def jsonl(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(path)


def load(path: str | Path, domain: str = "math", **fields: Any) -> list[Problem]:
    source = Source(path=str(path), domain=domain, **fields)  # pyright: ignore
    return load_problems([source], "data.train", seed=0)


def error(path: str | Path, domain: str = "math", **fields: Any) -> str:
    with pytest.raises(UserError) as caught:
        load(path, domain, **fields)
    message = str(caught.value)
    assert "\n" not in message, "one line"
    assert message.startswith(f"data.train[0]: {path}"), "which source of the recipe"
    return message


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"id": "a", "answer": "2"}, ["prompt_field 'prompt'", "None", "['answer', 'id']"]),
        ({**GOOD, "prompt": "  "}, ["prompt_field 'prompt'"]),
        ({**GOOD, "prompt": 7}, ["prompt_field 'prompt'", "7"]),
        (
            {"id": "a", "prompt": "?"},
            ["'answer' names no value", "['id', 'prompt']"],
        ),
        ({**GOOD, "answer": ""}, ["answer_field 'answer'"]),
        ({**GOOD, "answer": True}, ["answer_field 'answer'", "True"]),
        ({**GOOD, "answer": {"x": 1}}, ["answer_field 'answer'", "{'x': 1}"]),
        ({**GOOD, "answer": []}, ["answer_field 'answer'", "[]"]),
        ({**GOOD, "answer": ["2", None]}, ["answer_field 'answer'", "None"]),
    ],
)
def test_a_bad_math_row_is_named(tmp_path: Path, row: dict[str, Any], named: list[str]) -> None:
    path = jsonl(tmp_path / "rows.jsonl", [{**GOOD, "id": "first"}, row])
    message = error(path)
    assert "row 2:" in message
    for part in named:
        assert part in message


@pytest.mark.parametrize(
    ("tests", "named"),
    [
        (None, "tests_field 'tests' names no value of the row, which has ['prompt', 'tests']"),
        ("{not json", "tests_field 'tests' is '{not json': no JSON"),
        ([1], "tests_field 'tests' is [1]: give an object with a 'type'"),
        ("assert f(1) == 2", 'source goes in as {"type": "asserts", "asserts": ["assert f(1)'),
        (["assert f(1 == 2"], "tests_field 'tests'.asserts[0] is 'assert f(1 == 2': no Python"),
        ({"type": "spec"}, "tests_field 'tests'.type is 'spec'"),
        ({"type": "stdin", "cases": []}, "tests_field 'tests'.cases is []"),
    ],
)
def test_a_bad_code_row_is_named(tmp_path: Path, tests: Any, named: str) -> None:
    rows = [{"prompt": "p", "tests": TESTS}, {"prompt": "p", "tests": tests}]
    message = error(jsonl(tmp_path / "code.jsonl", rows), "code")
    assert "row 2" in message
    assert named in message


def test_tests_may_be_json_text(tmp_path: Path) -> None:
    rows = [{"prompt": "p", "tests": TESTS}, {"prompt": "q", "tests": json.dumps(TESTS)}]
    found = load(jsonl(tmp_path / "code.jsonl", rows), "code")
    assert [p.tests for p in found] == [TESTS, TESTS]


BAD_LINES = {
    "cut off": '{"id": "b", "prompt": ',
    "no text": "\xff\xfe",
    "a list": "[1, 2]",
    "null": "null",
    "a text": '"text"',
    "deep": "[" * 200_000,
    "deep in a field": '{"prompt": "x", "answer": ' + '{"a": ' * 50_000 + "1" + "}" * 50_001,
    "a long number": '{"prompt": "x", "answer": ' + "1" * 5000 + "}",
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_malformed_line_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    line = BAD_LINES[name].encode("latin-1")
    path.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + line + b"\n")
    assert "line 3: " in error(path), "counted as an editor does"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**GOOD, "prompt": "a\ud800"}, "'prompt' has a lone surrogate"),
        ({**GOOD, "id": "\udfff"}, "'id' has a lone surrogate"),
        ({**GOOD, "answer": "\ud800"}, "answer_field 'answer' has a lone surrogate"),
        ({**GOOD, "id": [1]}, "id_field 'id' must be a text or a number, got [1]"),
        ({**GOOD, "answer": float("nan")}, "is nan: give a text, a finite number or a list"),
        ({**GOOD, "answer": [1, float("inf")]}, "is [1, inf]: give"),
        ({**GOOD, "prompt": [["x"] * 9999]}, "prompt_field 'prompt' must be a text, or messages"),
        ({str(n): n for n in range(9999)}, "prompt_field 'prompt' must be a text, got None"),
    ],
)  # fmt: skip
def test_a_field_that_is_no_good_is_named(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    message = error(jsonl(tmp_path / "rows.jsonl", [row]))
    assert "row 1: " in message
    assert says in message
    assert len(message) < 1000


def test_files_that_hold_nothing_or_are_none(tmp_path: Path) -> None:
    assert "no such file" in error(tmp_path / "none.jsonl")
    assert "a folder" in error(tmp_path)
    (tmp_path / "rows.xlsx").write_text("id,prompt\n")
    assert "ends in '.xlsx'" in error(tmp_path / "rows.xlsx")
    for content in ("", "\n \n"):
        (tmp_path / "empty.jsonl").write_text(content)
        assert "holds no rows" in error(tmp_path / "empty.jsonl")
    pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    assert "holds no rows" in error(tmp_path / "empty.parquet")


PLAIN = {"compression": "none", "use_dictionary": False}


def parquet(path: Path, **columns: Any) -> Path:
    """Two good rows, with some columns replaced."""
    good = {"id": ["a", "b"], "prompt": ["p", "q"], "answer": ["1", "2"]}
    pq.write_table(pa.table(good | columns), path, **PLAIN)
    return path


def first_byte_of(name: bytes, whole: bytes) -> bytes:
    """A byte that is no text, in place of the first one of `name`."""
    assert name in whole
    return whole.replace(name, b"\xff" + name[1:])


DAMAGES = {
    "zero bytes": lambda whole: b"",
    "no Parquet": lambda whole: b"PAR1 and nothing else",
    "other magic": lambda whole: b"PAR2" + whole[4:-4] + b"PAR2",
    "truncated": lambda whole: whole[:-9],
    "cut in the middle": lambda whole: whole[: len(whole) // 2],
    "footer too long": lambda whole: whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:],
    "footer gone": lambda whole: whole[: -8 - 200] + bytes(200) + whole[-8:],
    "pages gone": lambda whole: whole[:4] + bytes(200) + whole[204:],
    "a column's name": lambda whole: first_byte_of(b"prompt", whole),
    "a value": lambda whole: first_byte_of(b"a value of its own", whole),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_parquet_file(tmp_path: Path, name: str) -> None:
    path = parquet(tmp_path / "rows.parquet", prompt=["p", "a value of its own"])
    path.write_bytes(DAMAGES[name](path.read_bytes()))
    message = error(path)
    if name == "a value":
        assert "row 2: column 'prompt' has no readable value" in message
    elif name == "a column's name":
        assert "not a readable Parquet file" in message or "prompt_field" in message
    else:
        assert "not a readable Parquet file" in message
        assert message.endswith("; write it anew")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
       st.none() | st.integers(0, 10**6))  # fmt: skip
def test_any_damage_to_a_parquet_file_is_one_line(
    changes: list[tuple[int, int]], cut: int | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = parquet(Path(folder, "rows.parquet"))
        whole = bytearray(path.read_bytes())
        for at, value in changes:
            whole[at % len(whole)] = value
        path.write_bytes(whole[: cut % len(whole)] if cut is not None else whole)
        message = ""
        try:
            load(path)
        except UserError as found:
            message = str(found)
    assert "\n" not in message


def test_columns_that_are_odd(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    late = pa.array([2**60, 0], pa.timestamp("us"))
    assert "row 1: column 'answer' has no readable value" in error(parquet(path, answer=late))
    assert len(load(parquet(path, created=late))) == 2, "nobody asked for it"
    assert "got {'a': 1}" in error(parquet(path, prompt=[{"a": 1}, {"a": 2}]))
    assert "got b'p'" in error(parquet(path, prompt=[b"p", b"q"]))
    assert "'answer' names no value" in error(parquet(path, answer=pa.nulls(2)))
    assert "got [('a', 1)]" in error(
        parquet(path, id=pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int64())))
    )
    twice = pa.Table.from_arrays([pa.array(["p"])] * 2, names=["prompt", "prompt"])
    pq.write_table(twice, path)
    assert "has 2 columns 'prompt'; keep one" in error(path)
    pq.write_table(pa.table({"x": [1, 2]}), path)
    assert "row 1: prompt_field 'prompt' must be a text, got None; the row has ['x']" in error(path)
    coded = pa.array(["p", "p"]).dictionary_encode()
    assert [p.prompt for p in load(parquet(path, prompt=coded))] == ["p", "p"]


def test_duplicate_ids_within_and_over_sources(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", [GOOD, {**GOOD, "id": "b"}, GOOD])
    assert "duplicate id 'a'" in error(one)
    two = jsonl(tmp_path / "two.jsonl", [{**GOOD, "id": "c"}])
    three = jsonl(tmp_path / "three.jsonl", [{**GOOD, "id": "c"}])
    sources = [Source(path=p, domain="math") for p in (two, three)]
    with pytest.raises(UserError, match=r"data.eval\[1\].*duplicate id 'c'.*data.eval\[0\]"):
        load_problems(sources, "data.eval", seed=0)


ROWS = [
    {"id": "a", "prompt": "What is 1+1?", "answer": "2", "tag": "x"},
    {"id": "b", "prompt": "Wie viel ist ½·4?", "answer": " 2 ", "tag": "y"},
    {"id": "c", "prompt": "Which \\frac?", "answer": "\\frac{1}{2}", "tag": "z"},
]


def test_parquet_and_jsonl_load_alike(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    found = load(path)
    assert found == load(jsonl(tmp_path / "rows.jsonl", ROWS))
    assert [(p.id, p.prompt, p.answer) for p in found] == [
        ("a", "What is 1+1?", "2"),
        ("b", "Wie viel ist ½·4?", "2"),
        ("c", "Which \\frac?", "\\frac{1}{2}"),
    ]


def test_answers_may_be_numbers_and_several(tmp_path: Path) -> None:
    rows = [{**GOOD, "id": str(i), "answer": a} for i, a in enumerate([2, 0.5, ["1", 2], ["3"]])]
    found = load(jsonl(tmp_path / "rows.jsonl", rows))
    assert [p.answer for p in found] == ["2", "0.5", ("1", "2"), "3"]


def test_rows_without_ids_are_numbered_and_fields_renamed(tmp_path: Path) -> None:
    rows = [{"question": f"What is {i}?", "gold": i} for i in range(3)]
    path = jsonl(tmp_path / "set.jsonl", rows)
    found = load(path, prompt_field="question", answer_field="gold")
    assert [p.id for p in found] == ["set-1", "set-2", "set-3"]
    assert [p.answer for p in found] == ["0", "1", "2"]


def gsm8k(tmp_path: Path, last: str) -> str:
    rows = [{"prompt": "q", "answer": "He has 3*4=<<3*4=12>>12.\n#### 1,012"}]
    return jsonl(tmp_path / "gsm8k.jsonl", [*rows, {"prompt": "r", "answer": last}])


def test_an_answer_pattern_takes_the_answer_out_of_the_column(tmp_path: Path) -> None:
    found = load(gsm8k(tmp_path, "So:\n#### -7 "), answer_pattern="#### (.+)")
    assert [p.answer for p in found] == ["1,012", "-7"]


@pytest.mark.parametrize(
    ("pattern", "last", "says"),
    [
        ("#### (.+)", "no mark here", "finds no group in 'no mark here'"),
        ("#### .+", "#### 7", "finds no group"),
        ("#### (.*)", "####  ", "finds no group"),
        ("####( \\d+)?", "####", "finds no group"),
        ("#### (.+", "#### 7", "is no regular expression"),
    ],
)
def test_a_bad_answer_pattern_is_named(tmp_path: Path, pattern: str, last: str, says: str) -> None:
    message = error(gsm8k(tmp_path, last), answer_pattern=pattern)
    assert f"answer_pattern {pattern!r}" in message
    assert says in message
    assert "row " in message


def test_a_limit_takes_the_first_rows_and_reads_no_further(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in ROWS) + "not json\n")
    assert [p.id for p in load(path, limit=2)] == ["a", "b"]
    assert len(load(path, limit=3)) == 3
    error(path, limit=4)


def test_nano_families_and_levels() -> None:
    easy = load("nano:math", limit=20, families=["digit_sum", "gcd"], levels=[1, 2])
    kinds = {(p.meta["family"], p.meta["level"]) for p in easy}
    assert kinds <= {(f, n) for f in ("digit_sum", "gcd") for n in (1, 2)}
    hard = load("nano:math", limit=20, families=["product"], levels=[4])
    assert {(p.meta["family"], p.meta["level"]) for p in hard} == {("product", 4)}
    assert not {p.id for p in easy} & {p.id for p in hard}
    beyond = load("nano:math", limit=20, families=["chain_sum"], levels=[7, 8])
    assert {p.meta["level"] for p in beyond} == {7, 8}
    assert {p.meta["level"] for p in load("nano:math", limit=80)} == {1, 2, 3, 4}
    with pytest.raises(UserError, match=r"nano:code has levels 1 to 4, not 6"):
        load("nano:code", "code", levels=[2, 6])
    with pytest.raises(UserError, match=r"no family 'sums': choose of chain_sum, product"):
        load("nano:math", families=["sums"])


@pytest.mark.parametrize("domain", SHIPPED)
def test_nano_problems_are_distinct_and_prefix_stable(domain: str) -> None:
    many = load(f"nano:{domain}", domain, limit=80)
    assert len({p.id for p in many}) == len({p.prompt for p in many}) == 80
    assert load(f"nano:{domain}", domain, limit=30) == many[:30]
    other = load_problems([Source(path=f"nano:{domain}", domain=domain, limit=80)], "x", seed=1)
    assert {p.prompt for p in other} != {p.prompt for p in many}


@pytest.mark.parametrize("domain", SHIPPED)
def test_nano_splits_share_no_problem(domain: str) -> None:
    prompts = {}
    for split in ("train", "heldout"):
        found = load(f"nano:{domain}", domain, limit=60, split=split)
        prompts[split] = {p.prompt for p in found}
        assert {split_of(p) for p in prompts[split]} == {split}
        assert all(split in p.id for p in found)
    assert not prompts["train"] & prompts["heldout"]


def test_nano_has_a_default_number_and_checks_its_domain() -> None:
    assert len(load("nano:math")) == NANO_DEFAULT
    assert "use nano:code" in error("nano:math", "code")
    assert "use nano:math" in error("nano:poetry", "math")


def test_columns_may_be_within_others(tmp_path: Path) -> None:
    gold = str(random.randint(0, 999))
    verl = {
        "data_source": "gsm8k",
        "prompt": [{"role": "user", "content": "How many?"}],
        "reward_model": {"style": "rule", "ground_truth": gold},
        "extra_info": {"index": 7},
    }
    fields = {"answer_field": "reward_model.ground_truth", "id_field": "extra_info.index"}
    path = tmp_path / "verl.parquet"
    pq.write_table(pa.Table.from_pylist([verl]), path)
    for source in (jsonl(tmp_path / "verl.jsonl", [verl]), path):
        (problem,) = load(source, **fields)
        assert (problem.id, problem.prompt, problem.answer) == ("7", "How many?", gold)
    whole = {"a.b": gold, "a": {"b": "another"}, "prompt": "?"}
    assert load(jsonl(tmp_path / "dots.jsonl", [whole]), answer_field="a.b")[0].answer == gold
    missing = jsonl(tmp_path / "m.jsonl", [verl])
    assert "'reward_model.no' names no value" in error(missing, answer_field="reward_model.no")


def test_a_prompt_may_be_messages_of_one_turn(tmp_path: Path) -> None:
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}
    parts = {"role": "user", "content": [{"type": "text", "text": "1+"}, {"text": "1?"}]}
    for messages, told in (([user], None), ([system, user], "Be brief."), ([parts], None)):
        (problem,) = load(jsonl(tmp_path / "rows.jsonl", [GOOD | {"prompt": messages}]))
        assert problem.prompt == "1+1?"
        assert problem.meta.get("system") == told
    reply = {"role": "assistant", "content": "2"}
    for bad in ([user, reply], [user, reply, user], [system], [], [{"role": "user"}], ["1+1?"]):
        path = jsonl(tmp_path / "rows.jsonl", [GOOD | {"prompt": bad}])
        assert "prompt_field 'prompt' must be a text" in error(path)


def test_a_file_may_be_one_array(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([GOOD, GOOD | {"id": "b"}], indent=1))
    assert [p.id for p in load(path)] == ["a", "b"]
    path.write_text("[1]")
    assert "row 1: must be an object, got 1" in error(path)
    path.write_text("[{")
    assert "not valid JSON" in error(path)


def test_a_list_of_asserts_as_mbpp_has_it(tmp_path: Path):
    listed = ["assert twice(2) == 4", "assert twice(3) == 6"]
    rows = [
        {"task_id": 11, "text": "Write twice(x).", "test_list": tests}
        for tests in (listed, json.dumps(listed))
    ]
    path = tmp_path / "mbpp.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = Source(path=str(path), domain="code", prompt_field="text", tests_field="test_list")
    for problem in load_problems([source], "data.train", 0):
        assert problem.tests == {"type": "asserts", "asserts": listed}
