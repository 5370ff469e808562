"""Threads spin a little on a quiet machine, hardly on a busy one, and as the user says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from srpo.cli import threads
from srpo.cli.threads import BUSY, QUIET, WAITING, others_run, wait_politely


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WAITING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(os.environ, "GOMP_SPINCOUNT", "so that it is put back")
    del os.environ["GOMP_SPINCOUNT"]


@pytest.mark.parametrize(("others", "spins"), [(False, QUIET), (True, BUSY)])
def test_it_depends_on_the_machine(
    others: bool, spins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "others_run", lambda: others)
    wait_politely()
    assert os.environ["GOMP_SPINCOUNT"] == spins


@pytest.mark.parametrize("name", WAITING)
def test_the_user_has_the_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    wait_politely()
    assert os.environ.get("GOMP_SPINCOUNT") == ("1" if name == "GOMP_SPINCOUNT" else None)


@pytest.mark.parametrize(
    ("text", "busy"),
    [
        ("0.10 0.20 0.30 1/210 999\n", False),
        ("0.10 0.20 0.30 3/210 999\n", True),
        ("", False),
        ("a b c d/e f", False),
    ],
)
def test_what_runs_is_read(
    text: str, busy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "LOADAVG", tmp_path / "loadavg")
    assert not others_run(), "where there is no such file"
    threads.LOADAVG.write_text(text)
    assert others_run() == busy
