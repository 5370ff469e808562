"""Shares, rates, lengths and the comparison within problems, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from srpo.reasoning.nano import nano_behaviours
from srpo.reasoning.responses import Response, read_responses
from srpo.reasoning.statistics import Statistics, matched
from srpo.types import UserError

DOUBT, PLAIN = "Hmm, an odd one.", "We add the numbers."


def response(text: str, outcome: str = "correct", problem: str = "p", **more: Any) -> Response:
    return Response(text, more.pop("length", 10), True, outcome, problem=problem, **more)


def row(found: Statistics, name: str) -> dict[str, Any]:
    return next(r for r in found.rows() if r["behaviour"] == name)


def test_shares_rates_and_lengths() -> None:
    found = Statistics()
    for r in [
        response(f"{DOUBT}\n{DOUBT}", length=30),
        response(DOUBT, "incorrect", length=20),
        response(PLAIN, length=40),
        response(PLAIN, "error", length=10),
    ]:
        found.add(r)
    doubt = row(found, "hesitation")
    assert doubt["share"] == 0.5
    assert doubt["per_1000"] == pytest.approx(1000 * 3 / 100)
    assert (doubt["length_with"], doubt["length_without"]) == (25, 25)
    assert doubt["correct_with"] == 0.5
    assert row(found, "exploration")["length_with"] is None


def test_correct_and_incorrect_are_compared_within_a_problem() -> None:
    """Doubt goes with hard problems, which are answered wrongly; within each it makes no
    difference, and over all it seems to do harm."""
    found = Statistics()
    for i in range(10):
        for text, outcome in [(DOUBT, "correct"), (DOUBT, "incorrect"), (DOUBT, "incorrect")]:
            found.add(response(text, outcome, f"hard {i}"))
        for text, outcome in [(PLAIN, "correct"), (PLAIN, "correct"), (PLAIN, "incorrect")]:
            found.add(response(text, outcome, f"easy {i}"))
    doubt = row(found, "hesitation")
    assert doubt["correct_with"] == pytest.approx(1 / 3)
    assert doubt["matched"]["difference"] == 0
    assert doubt["matched"]["problems"] == 20


def test_matched_by_hand() -> None:
    found = matched({"a": [1, 2, 0, 1], "b": [1, 1, 1, 2], "one-sided": [1, 1, 0, 0]})
    assert found is not None
    assert found["problems"] == 2
    assert found["difference"] == pytest.approx(0.5)
    assert matched({"a": [1, 2, 0, 1]}) is None


def test_by_step_and_domain() -> None:
    found = Statistics()
    found.add(response(DOUBT, step=1, domain="math"))
    found.add(response(PLAIN, step=1, domain="code"))
    found.add(response(DOUBT, step=2, domain="math"))
    assert {s: v["hesitation"] for s, v in found.curve("step").items()} == {1: 0.5, 2: 1.0}
    assert {d: v["hesitation"] for d, v in found.curve("domain").items()} == {"code": 0, "math": 1}


@pytest.mark.parametrize(
    ("text", "repeated", "checked"),
    [
        ("9+6=15\n15+8=23\n\\boxed{23}", 0, 0),
        ("9+6=15\n9+6=15\n\\boxed{15}", 1, 0),
        ("9+6=14\nwait, 9+6=15\n\\boxed{15}", 1, 1),
        ("wait, 9+6=15\n\\boxed{15}", 0, 0),
        ("2*8=16\n16%5=1\nwait, 16%5=1\nwait, 16%5=1", 2, 2),
        ("", 0, 0),
    ],
)
def test_nanos_own_behaviours(text: str, repeated: int, checked: int) -> None:
    assert nano_behaviours(text) == {"step repeated": repeated, "result checked": checked}


def test_files_of_several_kinds(tmp_path: Path) -> None:
    rows = [{"response": DOUBT, "outcome": "correct", "id": "1"}, {"response": "One two three."}]
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(r) + "\n" for r in rows))
    found = list(read_responses(lines))
    assert found[0] == Response(DOUBT, 4, False, "correct", problem="1")
    assert found[1].length == 3
    table = tmp_path / "eval" / "responses"
    table.mkdir(parents=True)
    columns = {"response": DOUBT, "tokens": 9, "outcome": "correct", "domain": "math", "id": "x"}
    pq.write_table(pa.Table.from_pylist([columns]), table / "a.parquet")
    [one] = read_responses(tmp_path / "eval")
    assert one == Response(DOUBT, 9, True, "correct", None, "math", "x")


def test_what_is_none_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"answer": "x"}\n')
    with pytest.raises(UserError, match=r"row 0: response is None; give the model's text"):
        list(read_responses(bad))
    with pytest.raises(UserError, match="is no run with rollouts"):
        list(read_responses(tmp_path))
