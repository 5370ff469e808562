"""The ledger keeps what became of every prompt's rollouts, and says it in Parquet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_group, problem, problems, record
from srpo.algorithm.ledger import Ledger, Reason

SOLVED, MIXED = Reason("drop", "all correct"), Reason("keep", "mixed")
POOL = problems(3, 1)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(POOL, ["stage1", "stage2"])


def test_what_to_expect_is_the_latest_length_else_the_domains_mean(ledger: Ledger) -> None:
    assert ledger.expected_tokens(POOL) == [0.0] * 4
    for step, lengths in enumerate(([2, 4], [10, 20]), 1):
        ledger.record("stage1", step, step, [make_group("ci", lengths=lengths, of=POOL[0])])
    ledger.record("stage1", 2, 2, [make_group("ci", lengths=[6, 6], of=POOL[2])])
    stranger = problem("elsewhere")
    assert ledger.expected_tokens([*POOL, stranger]) == [15.0, 8.0, 6.0, 0.0, 8.0]
    ledger.record("stage1", 2, 3, [make_group("cc", lengths=[7, 8], of=POOL[3])])
    assert ledger.expected_tokens(POOL[::-1]) == [7.5, 6.0, 8.0, 15.0]


def test_a_row_counts_outcomes_truncations_and_length(ledger: Ledger, tmp_path: Path) -> None:
    group = make_group("ccie", lengths=[1, 2, 3, 6], of=POOL[3], truncated=2)
    ledger.record("stage2", 4, 17, [group])
    ledger.write(tmp_path / "ledger.parquet")
    assert pq.read_table(tmp_path / "ledger.parquet").to_pylist() == [
        {
            "problem_id": "k0",
            "domain": "code",
            "stage": "stage2",
            "epoch": 4,
            "step": 17,
            "correct": 2,
            "wrong": 1,
            "errored": 1,
            "truncated": 2,
            "mean_length": 3.0,
            "decision": "open",
            "reason": "epoch not over",
        }
    ]


def test_an_empty_ledger_is_written_with_its_columns(ledger: Ledger, tmp_path: Path) -> None:
    ledger.write(tmp_path / "empty.parquet")
    table = pq.read_table(tmp_path / "empty.parquet")
    assert table.num_rows == 0
    assert "problem_id" in table.column_names


def test_rewards_never_reach_it(ledger: Ledger) -> None:
    for rewards in ([9.0, -9.0], [0.0, 5.0]):
        ledger.record("stage1", 0, 1, [make_group("ci", rewards, of=POOL[0])])
    first, second = ledger.table().to_pylist()
    assert first == second


def test_rows_of_an_epoch_and_their_decisions(ledger: Ledger) -> None:
    record(ledger, "stage1", 0, {"m0": "cc", "m1": "ci"})
    record(ledger, "stage1", 1, {"m1": "cc"})
    record(ledger, "stage2", 1, {"m2": "ii", "m1": "ci"})
    assert ledger.rows("stage2", 1) == slice(3, 5), "not stage 1's epoch 1"
    assert ledger.rows("stage2", 2) == slice(5, 5)
    masks = np.array([True, False]), np.array([True, True])
    ledger.decide(ledger.rows("stage2", 1), list(zip((SOLVED, MIXED), masks, strict=True)))
    table = ledger.table().to_pydict()
    assert table["decision"] == ["open"] * 3 + ["drop", "keep"]
    assert table["reason"] == ["epoch not over"] * 3 + ["all correct", "mixed"]


def test_informative_share_of_every_epoch_of_every_stage(ledger: Ledger) -> None:
    assert ledger.informative_by_epoch() == []
    record(ledger, "stage1", 0, {"m0": "cci", "m1": "ccc", "m2": "iii"}, step=1)
    record(ledger, "stage1", 0, {"k0": "cie"}, step=2)
    record(ledger, "stage1", 1, {"m0": "cce"})
    record(ledger, "stage2", 1, {"m0": "ci"})  # the same epoch number in another stage
    assert ledger.informative_by_epoch() == [0.5, 0.0, 1.0]


def test_a_failed_write_leaves_the_old_file(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "ledger.parquet"
    record(ledger, "stage1", 0, {"m0": "ci"})
    ledger.write(path)
    before = path.read_bytes()
    record(ledger, "stage1", 0, {"m1": "cc"})
    ledger.ids = []  # so that it cannot be written
    with pytest.raises(pa.ArrowException):
        ledger.write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_state_round_trip_continues_alike(ledger: Ledger) -> None:
    record(ledger, "stage1", 0, {"m0": "ci", "m1": "cc"})
    ledger.decide(slice(0, 1), [(MIXED, np.array([True]))])
    other = Ledger(POOL, ["stage1", "stage2"])
    other.load_state_dict(ledger.state_dict())
    assert len(other) == 2
    for one in (ledger, other):
        record(one, "stage2", 0, {"m2": "ie"})
        one.decide(slice(1, 3), [(SOLVED, np.array([True, False])), (MIXED, np.array([1, 1]) > 0)])
    assert other.table()["reason"].to_pylist() == ["mixed", "all correct", "mixed"]
    assert other.table().equals(ledger.table())


def test_it_grows_by_about_thirty_bytes_a_row(ledger: Ledger) -> None:
    size = sum(a.nbytes for a in ledger.state_dict().values())
    record(ledger, "stage1", 0, {"m0": "ci"})
    assert sum(a.nbytes for a in ledger.state_dict().values()) - size <= 32


def test_a_group_that_no_reason_fits_stays_open(ledger: Ledger) -> None:
    record(ledger, "stage1", 0, {"m0": "cc", "m1": "ci"})
    ledger.decide(slice(0, 2), [(SOLVED, np.array([False, False])), (MIXED, np.array([0, 1]) > 0)])
    assert ledger.table()["decision"].to_pylist() == ["open", "keep"]


def test_pass_rates_are_those_of_the_latest_groups_with_a_verdict(ledger: Ledger) -> None:
    record(ledger, "stage1", 0, {"m0": "ccii", "m1": "ciee", "m2": "ee"})
    record(ledger, "stage1", 1, {"m0": "cccc", "m1": "eeee"})
    record(ledger, "stage2", 0, {"m0": "ciii"})
    assert ledger.pass_rates().tolist() == [0.25, 0.5, 0.0, 0.0]
