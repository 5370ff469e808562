from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.candidate import Candidate
from srpo.data.curate.judged import Judged, from_row, to_row
from srpo.data.curate.work import Work, read_judged, write_judged
from srpo.types import UserError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
CANDIDATES = st.builds(
    Candidate,
    source=TEXT,
    row=st.integers(0, 2**40),
    domain=st.sampled_from(["math", "code"]),
    prompt=TEXT,
    answer=TEXTS,
    tests=st.none() | st.fixed_dictionaries({"type": st.just("stdin"), "cases": st.just([])}),
    solution=st.none() | TEXT,
    reference=st.none() | TEXT,
    system=st.none() | TEXT,
    pass_rate=st.none() | st.floats(0, 1),
    meta=st.dictionaries(TEXT, TEXT, max_size=2),
    changes=TEXTS,
)
JUDGED = st.builds(
    Judged,
    CANDIDATES,
    stage=TEXT,
    reason=TEXT,
    evidence=TEXT,
    language=TEXT,
    notes=TEXTS,
    difficulty=TEXT,
)


@given(JUDGED)
def test_a_row_comes_back(judged: Judged):
    assert from_row(to_row(judged)) == judged


def test_a_file_comes_back(tmp_path: Path):
    rows = [Judged(Candidate("s", i, "math", f"q{i}", (str(i),))) for i in range(10_000)]
    write_judged(tmp_path / "x.parquet", iter(rows))
    assert list(read_judged(tmp_path / "x.parquet")) == rows


def test_the_first_reason_counts():
    judged = Judged(Candidate("s", 0, "math", "q")).dropped("a", "first", "x")
    assert judged.dropped("b", "second", "y") == judged
    assert not judged.stays


def test_results_survive_a_kill_in_the_middle_of_a_line(tmp_path: Path):
    results = Work(tmp_path, {"seed": 1}).results("programs")
    results.add("a:0", ["reference_fails", "x"])
    results.add("a:1", ["", ""])
    with results.path.open("a") as file:
        file.write('["a:2", ["tri')
    again = Work(tmp_path, {"seed": 1}).results("programs")
    assert again.found == {"a:0": ["reference_fails", "x"], "a:1": ["", ""]}
    again.add("a:2", ["", ""])
    assert set(Work(tmp_path, {"seed": 1}).results("programs").found) == {"a:0", "a:1", "a:2"}


def test_an_unfinished_curation_of_another_plan_is_refused(tmp_path: Path):
    Work(tmp_path, {"seed": 1, "allow": []})
    with pytest.raises(UserError, match="another curation, with another seed"):
        Work(tmp_path, {"seed": 2, "allow": []})
