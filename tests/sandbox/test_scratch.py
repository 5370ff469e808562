"""What counts as too much in a scratch directory that shares a disk, and how it is emptied."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox.inside import scratch as module
from srpo.sandbox.inside.scratch import MAX_FILES, MAX_FOLDERS, Scratch

MIB = 1 << 20


def test_bytes_files_and_folders_count(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path), sized=False)
    assert scratch.fits(MIB)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(bytes(MIB + 1))
    assert not scratch.fits(MIB)
    assert scratch.fits(2 * MIB)
    for n in range(MAX_FOLDERS):
        (tmp_path / f"d{n}").mkdir()
    assert not scratch.fits(2 * MIB)


def test_the_number_of_files_counts(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path), sized=False)
    for n in range(MAX_FILES):
        (tmp_path / f"f{n}").touch()
    assert scratch.fits(MIB)
    (tmp_path / "one more").touch()
    assert not scratch.fits(MIB)


def test_holes_take_nothing_and_what_is_linked_outside_is_not_there(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.write_bytes(bytes(8 * MIB))
    os.truncate(os.open(inside / "hole", os.O_CREAT | os.O_WRONLY), 64 * MIB)
    (inside / "link").symlink_to(outside)
    assert Scratch(str(inside), sized=False).fits(MIB)


@given(free=st.integers(0, 1 << 40), block=st.sampled_from([512, 4096]))
def test_a_full_disk_stops_who_writes(free: int, block: int) -> None:
    here = SimpleNamespace(f_bavail=free // block, f_frsize=block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "fstatvfs", lambda _: here)
        assert Scratch(os.curdir, sized=False)._spare() is (free // block * block > 256 * MIB)


@given(taken=st.integers(0, 1 << 30), files=st.integers(1, 2000), most=st.integers(MIB, 64 * MIB))
def test_a_file_system_of_its_own_says_what_is_taken(taken: int, files: int, most: int) -> None:
    disk = SimpleNamespace(f_blocks=1 << 30, f_bfree=(1 << 30) - taken, f_frsize=1)
    disk.f_files, disk.f_ffree = 5000, 5000 - files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "fstatvfs", lambda _: disk)
        fits = Scratch(os.curdir, sized=True).fits(most)
    assert fits is (taken <= most and files <= MAX_FILES)


def test_empty(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path), sized=False)
    for n in range(20):
        (tmp_path / f"f{n}").touch()
    assert scratch.empty()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    assert not scratch.empty()  # the host has more time
