"""Rows of every format come back as they were written, numbered from 0."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_files import mixed, rows_in, written
from srpo.data.rows import read_rows
from srpo.types import UserError

WHOLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY = st.text(max_size=12) | st.sampled_from(["\u2028\x85\x1c", "\ufeff", "\ud800", ']}\\"'])
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.just(10**4299)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(ANY, VALUES, max_size=3), min_size=2, max_size=5)
ENDINGS = st.sampled_from(["", ".gz", ".zst"])
SPACES = st.sampled_from(["", " ", "\n", "\r\n\t", " \n\n "])
CHUNKS = st.sampled_from([1, 7, 64, 1 << 16])


def as_json(value: Any, ascii_only: bool, comma: str = ", ", colon: str = ": ") -> str:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, separators=(comma, colon))
        return text if text.encode() else ""
    except UnicodeEncodeError:  # a lone surrogate has to be an escape
        return json.dumps(value, separators=(comma, colon))


@given(ROWS, st.booleans(), ENDINGS, CHUNKS, st.sampled_from(["\n", "\r\n", "\n \n\n"]))
def test_jsonl(rows: list[Any], ascii_only: bool, ending: str, chunk: int, end: str):
    lines = [as_json(row, ascii_only) for row in rows]
    with written(f"x.jsonl{ending}", end.join(lines).encode("utf-8-sig"), chunk) as path:
        assert rows_in(path) == rows


@given(ROWS, st.booleans(), ENDINGS, CHUNKS, st.tuples(*[SPACES] * 5), st.booleans())
def test_json_of_any_shape(
    rows: list[Any], ascii_only: bool, ending: str, chunk: int, spaces: tuple[str, ...], array: bool
):
    before, within, colon, between, after = spaces
    texts = [as_json(row, ascii_only, f"{within},{within}", f":{colon}") for row in rows]
    inner = f"{between},{within}".join(texts) if array else between.join(texts)
    whole = f"{before}[{between}{inner}{after}]{after}" if array else f"{before}{inner}{after}"
    for kind in ("json", "jsonl") if array else ("json",):
        with written(f"x.{kind}{ending}", whole.encode(), chunk) as path:
            assert rows_in(path) == rows


CELLS = st.lists(st.lists(WHOLE, min_size=3, max_size=3), min_size=1, max_size=5)
WRITTEN = st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig"])


@given(CELLS, ENDINGS, CHUNKS, *WRITTEN)
def test_csv(cells: Any, ending: str, chunk: int, end: str, quoted: bool, encoding: str):
    names, sink = ["a", "die Überschrift", 'c,\n"d"'], io.StringIO(newline="")
    quoted |= any("\r" in cell for row in cells for cell in row)  # Python's writer forgets it
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(sink, lineterminator=end, quoting=quoting).writerows([names, *cells])
    with written(f"x.csv{ending}", sink.getvalue().encode(encoding), chunk) as path:
        assert rows_in(path) == [dict(zip(names, row, strict=True)) for row in cells]


NESTED = st.none() | st.lists(st.fixed_dictionaries({"e": WHOLE | st.none()}), max_size=3)
TABLE = st.fixed_dictionaries(
    {"a": WHOLE | st.none(), "b.c": st.integers(-(2**63), 2**63 - 1), "d": NESTED}
)


@settings(max_examples=50)
@given(st.lists(TABLE, min_size=1, max_size=9), ENDINGS, st.integers(1, 5))
def test_parquet(rows: list[Any], ending: str, group: int):
    inner = pa.list_(pa.struct({"e": pa.string()}))
    schema = pa.schema({"a": pa.string(), "b.c": pa.int64(), "d": inner})
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, row_group_size=group)
    with written(f"x.parquet{ending}", sink.getvalue()) as path:
        assert rows_in(path) == rows
        wanted = [row for _, row in read_rows(path, ["b.c", "d.e", "none"])]
        assert wanted == [{**row, "a": None} for row in rows], "of others the names alone"


def test_numbers_that_are_none_and_long_ones():
    rows = [{"a": "NaN"}, {"a": "-Infinity"}, {"a": "Infinity"}, {"a": "1" * 4300}]
    texts = ["{" + f'"a": {row["a"]}' + "}" for row in rows]
    for name, whole in (("x.jsonl", "\n".join(texts)), ("x.json", f"[{','.join(texts)}]")):
        with written(name, whole.encode(), 1) as path:
            found = [row["a"] for _, row in read_rows(path) if isinstance(row, dict)]
        assert [repr(v) for v in found] == ["nan", "-inf", "inf", "1" * 4300]


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.jsonl.gz", "x.csv.zst"])
@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"\r\n\n" * 99])
def test_nothing_in_it(name: str, content: bytes):
    with written(name, content) as path:
        assert mixed(path) == ([], ["here: holds no rows; give a file with at least one"])


@pytest.mark.parametrize("size", [10 << 20, 63 << 20])
def test_long_rows(size: int):
    row = {"a": "ab,\u2028 " * (size // 8)}
    texts = {"x.jsonl": as_json(row, False), "x.json": f"[{as_json(row, False)}]"}
    texts |= {"x.csv": f'a\n"{row["a"]}"\n'} if size < 32 << 20 else {}
    for name, text in texts.items():
        with written(name, text.encode()) as path:
            assert [found == row for _, found in read_rows(path)] == [True]


def test_an_object_is_one_of_columns_or_of_rows():
    for whole in (
        {"a": [1, 2], "b": ["x", "y"]},
        {"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}},
    ):
        with written("x.json", json.dumps(whole).encode()) as path:
            assert rows_in(path) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    with written("x.json", json.dumps({"p": {"a": 1}, "q": {"a": 2}}).encode()) as path:
        assert rows_in(path) == [{"id": "p", "a": 1}, {"id": "q", "a": 2}]
    with written("x.json", json.dumps({"a": [1], "b": 2}).encode()) as path:
        assert rows_in(path) == [{"a": [1], "b": 2}]


def test_a_folder(tmp_path: Path):
    (tmp_path / "part-0.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "part-1.csv.gz").write_bytes(gzip.compress(b"a\n2\n3,4\n"))
    (tmp_path / "part-2.parquet").write_bytes(b"none")
    (tmp_path / "part-3.json").write_text('[{"a": 5}]')
    for name in ("README.json", ".hidden.jsonl", "dataset_infos.json", "notes.txt"):
        (tmp_path / name).write_text("no data")
    rows, faults = mixed(tmp_path)
    assert rows == [{"a": 1}, {"a": "2"}, {"a": 5}]
    assert [fault.split(":")[0] for fault in faults] == [
        "here/part-1.csv.gz line 3",
        "here/part-2.parquet",
    ]
    (tmp_path / "train.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "test.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(UserError, match="several splits"):
        next(read_rows(tmp_path))
