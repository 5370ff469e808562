"""Behaviours over a run's steps: from its rollouts, at most STEPS of them, the others as before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srpo.report.reader import Run
from srpo.report.run import behaviours
from srpo.report.run.behaviours import with_behaviours

DOUBT, PLAIN = "Hmm, an odd one.", "We add the numbers."


def write(run: Path, step: int, texts: list[str]) -> None:
    (run / "rollouts").mkdir(exist_ok=True)
    rollouts = [{"text": t, "outcome": "correct", "tokens": 3} for t in texts]
    group = {"step": step, "domain": "math", "problem_id": "p", "rollouts": rollouts}
    (run / "rollouts" / f"step-{step:06d}.jsonl").write_text(json.dumps(group) + "\n")


def test_shares_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(1, 7):
        write(tmp_path, step, [DOUBT] * step + [PLAIN] * (6 - step))
    rows = [{"step": step} for step in range(1, 7)]
    found = with_behaviours(Run(tmp_path), rows)
    assert [row["behaviour/hesitation"] for row in found] == pytest.approx(
        [step / 6 for step in range(1, 7)]
    )
    assert "behaviour/recheck" not in found[0]
    monkeypatch.setattr(behaviours, "STEPS", 3)
    fewer = [row["behaviour/hesitation"] for row in with_behaviours(Run(tmp_path), rows)]
    assert fewer == pytest.approx([1 / 6, 1 / 6, 3 / 6, 3 / 6, 5 / 6, 5 / 6])


def test_without_rollouts_the_rows_are_as_they_were(tmp_path: Path) -> None:
    assert with_behaviours(Run(tmp_path), [{"step": 1}]) == [{"step": 1}]
