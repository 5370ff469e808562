"""Data sets by the names that the Hugging Face hub gives them, on folders in its layout."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from srpo.data.rows import file_rows, read_rows
from srpo.data.sources import load_problems
from srpo.errors import RowFault
from srpo.recipe.schema import Source
from srpo.types import UserError

pytest.importorskip("datasets")

CONFIGS = """---
configs:
- config_name: main
  data_files:
  - {split: train, path: main/train-*}
  - {split: test, path: main/test-*}
- config_name: socratic
  data_files:
  - {split: train, path: socratic/train-*}
---
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`main` with two splits, the first in two shards; `socratic` with one."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "gsm8k"
    root.mkdir()
    (root / "README.md").write_text(CONFIGS)
    for name, rows in DATA.items():
        path = root / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    return root


def rows_of(start: int, count: int) -> list[dict[str, Any]]:
    return [
        {"question": f"{i}+{i}?", "answer": f"so\n#### {2 * i}"}
        for i in range(start, start + count)
    ]


DATA = {
    "main/train-00000-of-00002": rows_of(0, 3),
    "main/train-00001-of-00002": rows_of(3, 2),
    "main/test-00000-of-00001": rows_of(10, 4),
    "socratic/train-00000-of-00001": rows_of(20, 1),
}
TRAIN = DATA["main/train-00000-of-00002"] + DATA["main/train-00001-of-00002"]


def test_a_config_and_a_split(folder: Path) -> None:
    assert list(read_rows(f"{folder}:main:train")) == list(enumerate(TRAIN))
    assert list(file_rows(f"{folder}:main:test", None, "x")) == DATA["main/test-00000-of-00001"]


def test_the_only_split_need_not_be_named(folder: Path) -> None:
    assert [row for _, row in read_rows(f"{folder}:socratic")] == rows_of(20, 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("main", "which split"),
        ("main:valid", "cannot be loaded"),
        ("other:train", "cannot be loaded"),
    ],
)
def test_what_is_not_there_is_one_error(folder: Path, name: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as found:
        list(read_rows(f"{folder}:{name}"))
    assert "\n" not in str(found.value)


def test_a_recipes_source(folder: Path) -> None:
    source = Source(
        path=f"{folder}:main:train",
        domain="math",
        prompt_field="question",
        answer_pattern="#### (.+)",
        limit=random.randint(1, 5),
    )
    problems = load_problems([source], "data.train", 0)
    assert [p.answer for p in problems] == [str(2 * i) for i in range(source.limit or 0)]


def test_a_damaged_shard_is_one_fault(folder: Path) -> None:
    (folder / "main" / "train-00001-of-00002.parquet").write_bytes(b"PAR1 no more")
    *_, last = [row for _, row in read_rows(f"{folder}:main:train")]
    assert isinstance(last, RowFault)
    assert "cannot be read on" in str(last)
    assert "download it anew" in str(last)


def test_a_hub_out_of_reach_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="no such file here") as found:
        list(read_rows("openai/gsm8k:main:train"))
    assert "HF_HUB_OFFLINE=1" in str(found.value)
