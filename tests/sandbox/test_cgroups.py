"""Control groups: where one is made, what it bounds, and that nothing of it stays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from srpo.sandbox import cgroups
from srpo.sandbox.base import Limits, Program
from srpo.sandbox.cgroups import SERVER_MIB, THREADS, Group
from walls import REAL, opened


def places(root: Path, **paths: str) -> dict[str, tuple[tuple[Path, str], str]]:
    """As `_places` has them: version 2 under the name `two`."""
    return {
        "" if name == "two" else name: (
            (root / name, path),
            "cgroup2" if name == "two" else "cgroup",
        )
        for name, path in paths.items()
    }


def control(folder: Path, controllers: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)


def test_version_2_is_beside_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the same parent, so that the limits of a job or a service go on to hold."""
    monkeypatch.setattr(cgroups, "_places", lambda: places(tmp_path, two="/user/app/ours"))
    control(tmp_path / "two/user/app", "cpu memory pids\n")
    assert cgroups._above() == {tmp_path / "two/user/app": "memory.max"}
    control(tmp_path / "two/user/app", "cpu pids\n")  # memory is not handed down
    assert cgroups._above() == {}


def test_version_2_at_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "_places", lambda: places(tmp_path, two="/"))
    control(tmp_path / "two", "memory pids")
    assert cgroups._above() == {tmp_path / "two": "memory.max"}


def test_version_1_is_below_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = places(tmp_path, two="/", memory="/job/1", pids="/")
    control(tmp_path / "two", "hugetlb")
    monkeypatch.setattr(cgroups, "_places", lambda: both)
    file = "memory.limit_in_bytes"
    assert cgroups._above() == {tmp_path / "memory/job/1": file, tmp_path / "pids": file}
    del both["pids"]
    assert cgroups._above() == {}


def test_where_it_may_not_be_made_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory").mkdir()
    where = {tmp_path / "memory": "memory.max", tmp_path / "nowhere": "memory.max"}
    monkeypatch.setattr(cgroups, "_above", lambda: where)
    assert cgroups.make("x", 2) is None
    assert list((tmp_path / "memory").iterdir()) == []
    monkeypatch.setattr(cgroups, "_above", dict)
    assert cgroups.make("x", 2) is None


def test_limits_grow_with_what_is_asked_for(tmp_path: Path) -> None:
    for name in ("memory.max", "pids.max", "cgroup.procs"):
        (tmp_path / name).write_text("max")
    group = Group({tmp_path: "memory.max"}, 4)
    assert (tmp_path / "pids.max").read_text() == str(4 * THREADS)
    for asked, held in ((100, 100), (500, 500), (64, 500)):
        group.allow(asked)
        assert int((tmp_path / "memory.max").read_text()) == 4 * (held + SERVER_MIB) * 2**20
    group.add(123)
    assert (tmp_path / "cgroup.procs").read_text() == "123"


@pytest.mark.parametrize("mechanism", REAL)
def test_servers_are_in_one(mechanism: str) -> None:
    with opened(mechanism, 1) as box:
        box.run(Program(""), Limits(memory_mb=100))
        assert box._home is not None
        group = box._home.group
        if group is None:
            pytest.skip("no control group can be had here")
        (pid,) = box.pids()
        for folder in group.folders:
            assert str(pid) in (folder / "cgroup.procs").read_text().split()
        most = [int((f / n).read_text()) for f, n in group.folders.items() if (f / n).exists()]
        assert most == [2 * (100 + SERVER_MIB) << 20]
    assert [folder for folder in group.folders if folder.exists()] == []


def test_one_that_may_not_be_joined_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(Group):
        def add(self, pid: int) -> None:
            raise PermissionError("cgroup.procs")

    monkeypatch.setattr(cgroups, "make", lambda *_: Closed({}, 2))
    with opened("unsafe-subprocess", 1) as box:
        assert box.run(Program("print(1)"), Limits()).stdout == "1\n"
        assert box.bounds["memory"] == "address space"


def test_the_keeper_waits_for_us() -> None:
    """It has the same end as we have, whoever kills us: it is another session's."""
    with opened("unsafe-subprocess", 1) as box:
        box.run(Program(""), Limits())
        assert box._home is not None
        keeper = box._home._keeper
        assert keeper.poll() is None
        session = subprocess.run(
            ["ps", "-o", "sid=", "-p", str(keeper.pid)], capture_output=True, text=True
        )
        assert int(session.stdout) == keeper.pid
    assert keeper.poll() == 0
