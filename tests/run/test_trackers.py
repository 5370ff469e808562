"""Trackers are opened by name; one that is not installed is refused before a run starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from srpo.run.trackers import check_trackers, open_trackers
from srpo.types import UserError


def test_a_missing_tracker_says_how_to_install_it() -> None:
    with pytest.raises(UserError, match=r"log\.trackers: 'no_such'.*pip install 'srpo\[no_such\]'"):
        check_trackers(["tensorboard", "no_such"])


def test_no_trackers():
    assert open_trackers([], Path(), {}) == []
