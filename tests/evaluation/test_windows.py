"""Windows of dates and releases, and the scores that official verdicts give in them."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.evaluation.windows import Window, in_window, read_release, read_window
from srpo.types import UserError

DATA = os.environ.get("SRPO_DATA")
OFFICIAL = "livecodebench_v5_o1mini_official.json"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-08..2025-01", date(2024, 8, 1), date(2025, 1, 31)),
        ("2024-02..2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-02..2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("2024-08-15..2024-09", date(2024, 8, 15), date(2024, 9, 30)),
        ("2024-08-15..2024-08-15", date(2024, 8, 15), date(2024, 8, 15)),
        ("2024-08..", date(2024, 8, 1), None),
        (" ..2024-12 ", None, date(2024, 12, 31)),
    ],
)
def test_months_are_whole_and_both_ends_belong(text: str, start: date | None, end: date | None):
    assert read_window(text) == Window(start, end)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-08", "give START..END"),
        ("..", "give START..END"),
        ("", "give START..END"),
        ("2024-13..", "'2024-13' is no month"),
        ("2024-02-30..", "'2024-02-30' is no month and no day"),
        ("2024-8..2024-09", "'2024-8' is no month"),
        ("2024-08...2024-09", "'.2024-09' is no month"),
        ("0000-01..", "'0000-01' is no month"),
        ("٢٠٢٤-08..", "is no month"),
        ("2025-01..2024-08", "ends on 2024-08-31, before it starts"),
    ],
)
def test_what_is_no_window_is_one_line(text: str, said: str):
    with pytest.raises(UserError) as caught:
        read_window(text, "eval.window")
    assert str(caught.value).startswith(f"eval.window is {text!r}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.lists(st.dates(date(2023, 1, 1), date(2025, 12, 31)), min_size=1), st.data())
def test_a_row_is_kept_when_its_day_is_in_the_window(days: list[date], data: st.DataObject):
    start, end = sorted(data.draw(st.tuples(st.sampled_from(days), st.dates())))
    hours = data.draw(st.lists(st.integers(0, 23), min_size=len(days), max_size=len(days)))
    rows = [f"{d}T{h:02}:30:00" for d, h in zip(days, hours, strict=True)]
    kept = in_window(rows, read_window(f"{start}..{end}"), lambda row: row)
    assert kept == [row for row, day in zip(rows, days, strict=True) if start <= day <= end]


def test_a_window_without_problems_names_the_dates_there_are():
    rows = [{"day": "2024-05-04T19:30:00"}, {"day": date(2023, 5, 7)}, {"day": "2024-01-01"}]
    with pytest.raises(UserError) as caught:
        in_window(rows, read_window("2025-01.."), lambda row: row["day"], "eval.window")
    assert str(caught.value) == (
        "eval.window is 2025-01-01..: no problem is of then; the data has 2023-05-07..2024-05-04"
    )


@pytest.mark.parametrize("value", [None, 2024, "soon", "2024", ""])
def test_a_row_without_a_date_is_named(value: Any):
    with pytest.raises(UserError, match="row 1: contest date is"):
        in_window(["2024-01-01", value], read_window("2024-01.."), lambda row: row)


def test_releases_are_what_was_published():
    whole = [read_release(f"release_v{n}") for n in range(1, 7)]
    assert [r.problems for r in whole] == [400, 511, 612, 713, 880, 1055]
    assert whole[0].files == ("test.jsonl",)
    assert whole[5].files == ("test.jsonl", *(f"test{n}.jsonl" for n in range(2, 7)))
    assert whole[4].months == "2023-05 to 2025-01"
    assert read_release("v5").files == ("test5.jsonl",)
    assert read_release("v4_v6").problems == 1055 - 612


@pytest.mark.parametrize("text", ["v0", "v7", "release_v7", "v3_v2", "release_v1_v2", "5", "", "v"])
def test_other_releases_are_refused(text: str):
    with pytest.raises(UserError, match="give release_v1 to release_v6"):
        read_release(text)


@pytest.mark.skipif(DATA is None, reason="SRPO_DATA is not set")
class TestOfficialScores:
    """Of O1-Mini-2024-09-12, from its official verdicts. The numbers here were computed apart from
    this code; problems and window are those of the leaderboard (279 from August 2024 on)."""

    rows: list[dict[str, Any]] = json.loads(Path(DATA, OFFICIAL).read_text()) if DATA else []

    @pytest.mark.parametrize(
        ("window", "all_of_it", "easy", "medium", "hard"),
        [
            ("2023-05..2025-01", (602, 880), (265, 279), (243, 331), (94, 270)),
            ("2024-08..2025-01", (145, 279), (61, 67), (60, 89), (24, 123)),
            ("2024-08..", (145, 279), (61, 67), (60, 89), (24, 123)),
            ("2024-10..2025-01", (82, 166), (37, 41), (30, 53), (15, 72)),
            ("..2024-03", (341, 439), (150, 155), (143, 183), (48, 101)),
            ("2024-05..2024-11", (205, 348), (89, 96), (80, 115), (36, 137)),
        ],
    )
    def test_right_of_how_many(
        self,
        window: str,
        all_of_it: tuple[int, int],
        easy: tuple[int, int],
        medium: tuple[int, int],
        hard: tuple[int, int],
    ):
        rows = in_window(self.rows, read_window(window), lambda row: row["contest_date"])
        found = [
            _score([row for row in rows if level in (None, row["difficulty"])])
            for level in (None, "easy", "medium", "hard")
        ]
        assert found == [all_of_it, easy, medium, hard]

    def test_every_pair_of_months_by_another_way(self):
        """By comparing texts, for all windows of whole months."""
        months = sorted({row["contest_date"][:7] for row in self.rows})
        for a in range(len(months)):
            for b in range(a, len(months)):
                window = read_window(f"{months[a]}..{months[b]}")
                rows = in_window(self.rows, window, lambda row: row["contest_date"])
                wanted = [r for r in self.rows if months[a] <= r["contest_date"][:7] <= months[b]]
                assert rows == wanted

    def test_the_last_day_counts_whatever_the_hour(self):
        late = max(datetime.fromisoformat(row["contest_date"]) for row in self.rows)
        day = late.date()
        assert late - datetime.combine(day, datetime.min.time()) > timedelta(hours=12)
        rows = in_window(self.rows, read_window(f"{day}..{day}"), lambda r: r["contest_date"])
        assert late.isoformat() in {row["contest_date"] for row in rows}


def _score(rows: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(row["pass@1"] == 1 for row in rows), len(rows)
