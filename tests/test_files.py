"""A file or a folder is replaced in one move, or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.files import replacing, write_parts, write_whole


@given(st.text() | st.binary())
def test_a_file_holds_what_was_written_to_it(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
):
    path = tmp_path_factory.mktemp("files") / "a.txt"
    write_whole(path, "before")
    write_whole(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert list(path.parent.iterdir()) == [path]


def test_half_of_a_surrogate_pair_is_written_as_its_escape(tmp_path: Path):
    write_whole(tmp_path / "a", "x\ud800é")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "x\\ud800é"


def fail(path: Path, error: type[BaseException]) -> None:
    """Write half of a file, or of a folder where there is one, then raise."""
    with replacing(path) as unfinished:
        if path.is_dir():
            unfinished.mkdir()
            unfinished /= "part"
        unfinished.write_text("new")
        raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_when_the_writing_fails_the_old_one_stays(tmp_path: Path, error: type[BaseException]):
    file, folder = tmp_path / "file", tmp_path / "folder"
    folder.mkdir()
    write_whole(file, "old")
    write_whole(folder / "part", "old")
    for path in (file, folder):
        with pytest.raises(error):
            fail(path, error)
    assert file.read_text() == (folder / "part").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path):
    for content in ("one", "two"):
        with replacing(tmp_path / "model") as unfinished:
            unfinished.mkdir()
            (unfinished / content).touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["model", "two"]


def test_what_a_killed_process_left_goes_with_the_next_try(tmp_path: Path):
    program = (
        "import os, sys, pathlib\nfrom srpo.files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as unfinished:\n"
        "    unfinished.mkdir(); (unfinished / 'half').touch(); os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "model"
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    write_whole(path, "whole")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_takes_no_folders_place(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "y")
    assert (tmp_path / "kept").read_text() == "x"


def test_a_large_file_is_written_in_parts_and_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    write_parts(path, (f"{i}\ud800\n" if i else b"\xff\n" for i in range(3)))
    assert path.read_bytes() == b"\xff\n1\\ud800\n2\\ud800\n"

    def failing() -> Iterator[str]:
        yield "half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_parts(path, failing())
    assert path.read_bytes().startswith(b"\xff\n1")
    assert [p.name for p in tmp_path.iterdir()] == ["lines"]
    with pytest.raises(IsADirectoryError):
        write_parts(tmp_path, ["text"])
