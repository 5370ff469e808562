"""A bad row is one fault, and the rows around it are read; so is the rest of a broken file."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_files import mixed, packed_as, written
from srpo.data.reading import faults

GOOD = [{"a": n, "b": "x,]}" * n} for n in range(1, 4)]
BAD_VALUES = {
    "a number": ("17", "must be an object, got"),
    "a text": ('"{}"', "must be an object, got"),
    "null": ("null", "must be an object, got"),
    "a list": ('[{"a": 1}]', "must be an object, got"),
    "no JSON": ("{'a': 1}", "not valid JSON: Expecting property name"),
    "a bad word": ('{"a": [nope], "b": "]}"}', "not valid JSON: Expecting value"),
    "a bad escape": (r'{"a": "\q"}', "not valid JSON: Invalid \\escape"),
    "a comma too many": ('{"a": 1,}', "not valid JSON"),
    "a long number": ('{"a": ' + "1" * 5000 + "}", "more than 4300 digits"),
    "deep": ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
    "latin-1": ('{"a": "Zürich"}', "is not UTF-8, near b"),
}


def bad(name: str) -> bytes:
    return BAD_VALUES[name][0].encode("latin-1")


@pytest.mark.parametrize("kind", ["x.jsonl", "x.json", "x.json.gz", "array.json", "array.json.zst"])
@pytest.mark.parametrize("name", BAD_VALUES)
@pytest.mark.parametrize("chunk", [5, 1 << 16])
def test_a_bad_value_is_one_fault(kind: str, name: str, chunk: int):
    items = [json.dumps(row).encode() for row in GOOD]
    at = random.randrange(1, 4)
    items.insert(at, bad(name))
    whole = b"[" + b" ,\n".join(items) + b"]" if "array" in kind else b"\n".join(items)
    with written(kind, whole, chunk) as path:
        rows, [fault] = mixed(path)
    assert rows == GOOD
    assert f"{'line' if 'jsonl' in kind else 'row'} {at + 1}: " in fault
    assert BAD_VALUES[name][1] in fault


@pytest.mark.parametrize("cut", ['{"a": ', '{"a": "x', "[", '{"a": [1}', "[" * 100_000, "nope {"])
@pytest.mark.parametrize("kind", ["x.jsonl", "x.json"])
def test_a_line_that_is_cut_off_is_one_fault(kind: str, cut: str):
    lines = [json.dumps(row) for row in GOOD]
    with written(kind, "\n".join([lines[0], cut, *lines[1:]]).encode()) as path:
        rows, [fault] = mixed(path)
    assert rows == GOOD
    assert " 2: not valid JSON" in fault


@given(st.data())
def test_a_file_that_is_cut_off_keeps_what_came_before(data: st.DataObject):
    kind = data.draw(st.sampled_from(["x.json", "array.json", "x.jsonl", "x.csv"]))
    texts = {"x.jsonl": "\n".join(map(json.dumps, GOOD)), "array.json": json.dumps(GOOD)}
    texts |= {"x.json": "\n".join(json.dumps(row, indent=1) for row in GOOD)}
    texts |= {"x.csv": "a,b\n" + "".join(f'{row["a"]},"{row["b"]}"\n' for row in GOOD)}
    whole = texts[kind]
    with written(kind, whole[: data.draw(st.integers(0, len(whole) - 2))].encode()) as path:
        rows, said = mixed(path)
    expected = [{"a": str(r["a"]), "b": r["b"]} for r in GOOD] if kind == "x.csv" else GOOD
    assert rows == expected[: len(rows)] or (
        kind == "x.csv" and rows[:-1] == expected[: len(rows) - 1]
    )
    assert len(said) <= 1
    assert said or len(rows) > 0


@given(st.binary(max_size=200), st.sampled_from(["json", "jsonl", "csv", "parquet", "json.gz",
       "csv.zst"]), st.booleans())  # fmt: skip
def test_any_bytes(content: bytes, kind: str, as_packed: bool):
    with written(f"x.{kind}" if as_packed else "y", content) as path:
        if not as_packed:
            path = path.rename(path.with_name(f"x.{kind}"))
        rows, said = mixed(path)
    assert all(isinstance(row, dict) for row in rows)
    assert rows or said


@pytest.mark.parametrize("kind", ["x.jsonl", "x.json", "x.csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_encodings(kind: str, encoding: str):
    text = "a,b\n1,2\n" if kind == "x.csv" else '{"a": 1}\n{"a": 2}\n'
    with written(kind, text.encode(encoding)) as path:
        rows, said = mixed(path)
    assert not [row for row in rows if row in ({"a": 1}, {"a": "1", "b": "2"})]
    if encoding != "utf-16-le":
        assert said == ["here: is UTF-16; save it as UTF-8"]


CSV = {
    "too few cells": ("1", "has 1 cells for 2 columns, the first is '1'"),
    "too many cells": ("1,2,3", "has 3 cells for 2 columns"),
    "latin-1": ("1,Zürich", "column 'b' is not UTF-8: b'Z\\xfcrich'"),
    "a quote within": ('1,"x"y', "is no readable CSV"),
}


@pytest.mark.parametrize("name", CSV)
def test_a_bad_line_of_csv(name: str):
    line, says = CSV[name]
    lines = ["a,b", "1,x", '2,"x\ny"', line, "", "3,z"]
    with written("x.csv", "\r\n".join(lines).encode("latin-1")) as path:
        rows, [fault] = mixed(path)
    assert [row["a"] for row in rows] == ["1", "2", "3"]
    assert fault.startswith("here line 5: "), "counted as an editor does"
    assert says in fault


def test_a_quote_that_never_ends_and_columns_of_one_name():
    with written("x.csv", b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 1000) as path:
        rows, [fault] = mixed(path)
    assert rows == [{"a": "1", "b": "2"}]
    assert fault.startswith("here line 3: is no readable CSV (unexpected end of data)")
    with written("x.csv", b"a,b,a\n1,2,3\n") as path:
        assert mixed(path) == ([], ["here: has 2 columns 'a'; keep one"])


PLAIN = {"write_page_checksum": True, "compression": "none", "use_dictionary": False}


def table(groups: int, rows: int) -> tuple[list[Any], bytes]:
    found = [{"a": random.randbytes(20).hex(), "b": n} for n in range(groups * rows)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found), sink, row_group_size=rows, **PLAIN)
    return found, sink.getvalue()


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_parquet_that_is_damaged_in_the_middle(ending: str):
    rows, whole = table(groups=5, rows=300)
    value = rows[3 * 300 + 5]["a"].encode()
    assert value in whole
    with written(f"x.parquet{ending}", whole.replace(value, b"?" * len(value))) as path:
        found, [fault] = mixed(path)
    assert found == rows[: 3 * 300]
    assert fault.startswith("here after row 900: not a readable Parquet file: ")


def test_parquet_that_is_cut_off_has_no_rows():
    _, whole = table(groups=2, rows=10)
    with written("x.parquet", whole[:-20]) as path:
        found, [fault] = mixed(path)
    assert found == []
    assert "not a readable Parquet file" in fault


def many(kind: str) -> tuple[list[Any], bytes]:
    rows = [{"a": random.randbytes(30).hex(), "b": str(n)} for n in range(20_000)]
    text = "a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in rows)
    if "json" in kind:
        text = json.dumps(rows) if "json." in kind else "".join(json.dumps(r) + "\n" for r in rows)
    return rows, packed_as(kind, text.encode())


@pytest.mark.parametrize("kind", ["x.jsonl.gz", "x.jsonl.zst", "x.json.gz", "x.csv.zst"])
def test_a_packed_file_that_is_cut_off(kind: str):
    rows, whole = many(kind)
    with written(kind, b"") as path:
        path.write_bytes(whole[: len(whole) * 2 // 3])
        found, [fault] = mixed(path)
    assert found == rows[: len(found)]
    assert len(found) > len(rows) * 0.5, "all but what stood in the block that was cut"
    assert f"here after row {len(found)}: no whole " in fault


@pytest.mark.parametrize("kind", ["x.jsonl.gz", "x.jsonl.zst", "x.csv.gz", "x.csv.zst"])
def test_a_packed_file_with_more_behind_its_end(kind: str):
    rows, whole = many(kind)
    with written(kind, b"") as path:
        path.write_bytes(whole + b"no frame at all")
        found, [fault] = mixed(path)
        assert found == rows
        assert "after row 20000: no whole " in fault
        path.write_bytes(whole + whole)  # `cat` makes one file of two
        assert mixed(path)[0][: len(rows)] == rows


def test_gz_that_was_changed_in_the_middle():
    rows, whole = many("x.jsonl.gz")
    at = len(whole) // 2
    with written("x.jsonl.gz", b"") as path:
        path.write_bytes(whole[:at] + bytes(900) + whole[at + 900 :])
        found, said = mixed(path)
    before = next(
        n for n, (row, other) in enumerate(zip(found, rows, strict=False)) if row != other
    )
    assert before > len(rows) * 0.45
    assert "no whole gzip file" in said[-1] or "one after the other" in said[-1]


def test_a_flood_of_faults_ends():
    most = faults.MOST_FAULTS
    with written("x.jsonl", b"no\n" * (most - 1) + b"{}\n" + b"no\n" * 3 * most) as path:
        rows, said = mixed(path)
    assert rows == [{}]
    assert len(said) == 2 * most
    assert said[-1].startswith(
        f"here after row {2 * most}: 10,000 rows one after the other are bad"
    )
