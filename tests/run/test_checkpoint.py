"""Checkpoints are whole or not there; a damaged one is noticed and passed over."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from srpo.errors import DamagedCheckpoint
from srpo.run.checkpoint import (
    MANIFEST,
    checkpoints,
    newest_whole,
    save_checkpoint,
)

HERE = Path(__file__).parent
PLAIN, DEEP = "state.json", "learner/rank-0/weights.bin"


def content(step: int) -> dict[str, bytes]:
    return {PLAIN: str(step).encode(), DEEP: random.Random(step).randbytes(10_000)}


def save(folder: Path, step: int, keep: int = 3) -> Path:
    def write(checkpoint: Path) -> None:
        for name, data in content(step).items():
            (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
            (checkpoint / name).write_bytes(data)

    return save_checkpoint(folder, step, write, keep)


def load(folder: Path) -> tuple[int, list[str]]:
    """The step that is found, and what was said."""
    said: list[str] = []
    found = newest_whole(folder, said.append)
    assert found is not None
    step = int((found / PLAIN).read_text())
    assert found.name == f"step-{step:06d}"
    assert {name: (found / name).read_bytes() for name in content(step)} == content(step)
    return step, said


def test_without_checkpoints_there_is_nothing_to_load(tmp_path: Path) -> None:
    assert newest_whole(tmp_path, print) is None
    assert newest_whole(tmp_path / "none", print) is None


@pytest.mark.parametrize("keep", [2, 3])
def test_the_newest_are_kept(tmp_path: Path, keep: int) -> None:
    for step in (1, 9, 10, 100, 250):
        save(tmp_path, step, keep)
    kept = [int(p.name.removeprefix("step-")) for p in checkpoints(tmp_path)]
    assert kept == [10, 100, 250][-keep:]
    assert load(tmp_path) == (250, [])


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save_checkpoint(tmp_path, 1, lambda folder: (folder / "other").touch(), 2)
    found = newest_whole(tmp_path, print)
    assert found is not None
    assert sorted(p.name for p in found.iterdir()) == [MANIFEST, "other"]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", [DEEP, PLAIN, MANIFEST])
def test_a_truncated_file_falls_back_to_the_one_before(
    tmp_path: Path, name: str, share: float
) -> None:
    save(tmp_path, 1)
    file = save(tmp_path, 2) / name
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    step, said = load(tmp_path)
    assert step == 1
    assert len(said) == 1
    assert "step-000002" in said[0]
    assert "falling back to the one before" in said[0]


@pytest.mark.parametrize("name", [DEEP, PLAIN, MANIFEST])
def test_a_missing_file_or_a_flipped_bit_falls_back_too(tmp_path: Path, name: str) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    flipped = save(tmp_path, 3) / name
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 4
    flipped.write_bytes(content)
    (tmp_path / "step-000002" / name).unlink()
    step, said = load(tmp_path)
    assert step == 1
    assert [s.split("step-")[1][:6] for s in said] == ["000003", "000002"]


def test_when_all_are_damaged_it_is_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    for step in (1, 2):
        (save(tmp_path, step) / DEEP).write_bytes(b"")
    with pytest.raises(DamagedCheckpoint, match="no earlier checkpoint is whole"):
        newest_whole(tmp_path, lambda _: None)
    assert len(checkpoints(tmp_path)) == 2


def test_leftovers_of_a_killed_write_are_ignored_and_cleared(tmp_path: Path) -> None:
    save(tmp_path, 1)
    leftover = tmp_path / ".writing-step-000002"
    leftover.mkdir()
    (leftover / PLAIN).write_bytes(b"half")
    assert load(tmp_path) == (1, [])
    save(tmp_path, 2)
    assert not leftover.exists()
    assert load(tmp_path) == (2, [])


@pytest.mark.parametrize("fails", [OSError(28, "no space"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_ones(tmp_path: Path, fails: BaseException) -> None:
    for step in (1, 2):
        save(tmp_path, step, keep=2)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def write(folder: Path) -> None:
        (folder / PLAIN).write_bytes(b"half")
        raise fails

    with pytest.raises(type(fails)):
        save_checkpoint(tmp_path, 3, write, 2)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert not list(tmp_path.glob(".writing*"))


ENDLESS = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from test_checkpoint import save
    print("ready", flush=True)
    for step in range(1, 10**6):
        save(Path(sys.argv[1]), step, 2)
"""


@pytest.mark.parametrize("seconds", [0.05, 0.09, 0.16])
def test_killed_at_any_moment_the_newest_is_whole(tmp_path: Path, seconds: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENDLESS), str(tmp_path), str(HERE)],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not checkpoints(tmp_path) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
    newest = int(checkpoints(tmp_path)[-1].name.removeprefix("step-"))
    assert load(tmp_path) == (newest, [])
