"""A small step of the driver's benchmark: every part runs and is measured."""

from __future__ import annotations

import re

import pytest

from scripts import load_script


def test_a_small_step_goes_through_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    load_script("driver").main(prompts=3, group=4, tokens=50, ranks=2)
    said = capsys.readouterr().out
    assert (found := re.search(r"3 x 4 rollouts, ([\d,]+) tokens", said))
    assert 12 * 25 <= int(found[1].replace(",", "")) < 12 * 75
    for part in ("receive", "ledger", "pack", "rows to ranks", "metrics", "rollout file"):
        assert re.search(rf"^{part} +\d+\.\d+ s$", said, re.MULTILINE), part
