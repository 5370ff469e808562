"""Small files that unpack to gigabytes end soon, in little memory, with one line that says why."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_files import packed_as
from srpo.data.rows import read_rows

BLOCK = 4 << 20  # bytes; a bomb has 512 of them
INSIDES = {
    "zeros.jsonl": b"0",
    "zeros.json": b"0",
    "zeros.csv": b"0",
    "zeros.parquet": b"0",
    "blank.jsonl": b"\n",
    "blank.csv": b"\r\n",
    "space.json": b" ",
    "values.json": b"[1],",
    "brackets.json": b"[",
    "rows.jsonl": json.dumps({"a": "x" * 500}).encode() + b"\n",
    "quote.csv": b'a\n"' + b"x, " * 1000,
}
READ = """
import json, re, sys, time
from pathlib import Path
from srpo.data.reading import tables
from srpo.data.rows import read_rows

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    began, last = time.process_time(), None
    for _, last in read_rows(path, where="here"):
        pass
    print(json.dumps([path.name, time.process_time() - began, peak() - before, str(last)]))
"""


def write_bombs(folder: Path) -> None:
    for name, inside in INSIDES.items():
        block = inside * (BLOCK // len(inside))
        first = b"[" if name == "values.json" else b'"' if name == "zeros.csv" else b""
        for ending in (".gz", ".zst"):
            packed = packed_as(ending, block, level=9)
            (folder / (name + ending)).write_bytes(packed_as(ending, first) + packed * 512)
    with pq.ParquetWriter(folder / "nulls.parquet", pa.schema({"a": pa.null()})) as writer:
        for _ in range(3):
            writer.write_table(pa.table({"a": pa.nulls(10**8)}), row_group_size=10**8)
    long = pa.table({"a": ["x" * (300 << 20)]})
    pq.write_table(long, folder / "long.parquet", use_dictionary=False, compression="zstd")


@pytest.mark.skipif(sys.platform != "linux", reason="how much memory was used is read in /proc")
def test_bombs_end_soon_and_in_little_memory(tmp_path: Path):
    write_bombs(tmp_path)
    assert max(file.stat().st_size for file in tmp_path.iterdir()) < 10 << 20
    run = subprocess.run(
        [sys.executable, "-c", READ, tmp_path], capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == 2 * len(INSIDES) + 2
    for name, seconds, megabytes, last in found:
        assert seconds < 10, name
        assert megabytes < 250, name
        assert last.startswith("here"), name
        assert len(last) < 400, name
    ratio = [name for name, _, _, last in found if "unpacks to more than 500 times" in last]
    assert {"zeros.jsonl.gz", "zeros.csv.zst", "zeros.parquet.zst", "nulls.parquet"} <= {*ratio}


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_what_packs_well_is_no_bomb(tmp_path: Path, ending: str):
    """A row with an input of ten million equal numbers, as stress tests have them."""
    rows = [{"tests": "0 " * 10_000_000}, {"tests": random.randbytes(1 << 16).hex()}] * 3
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path = tmp_path / f"x.jsonl{ending}"
    path.write_bytes(packed_as(ending, text))
    assert [found == row for (_, found), row in zip(read_rows(path), rows, strict=True)] == [
        True
    ] * 6
