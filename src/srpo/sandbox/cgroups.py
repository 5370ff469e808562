"""A control group around all servers of a sandbox, where the machine lets us have one.

What one program takes is bounded by its own limits (`inside.lockdown`). A group counts besides what
those do not: the kernel's memory, and all programs together. As root, or where systemd delegates,
one can be made; in most containers not. Version 2 of the interface, and 1, where memory and pids
are folders apart.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

NEEDED = ("memory", "pids")
SERVER_MIB = 192  # a server itself, its scratch file system, and what the kernel keeps for it
THREADS = 80  # of a server and its program
_MEMORY_FILE = {"cgroup": "memory.limit_in_bytes", "cgroup2": "memory.max"}


class Group:
    """Made by `make`. `folders` are where it is in each hierarchy, with the file of its limit.
    It has to be removed, by rmdir, when its processes have ended."""

    def __init__(self, folders: dict[Path, str], servers: int) -> None:
        self.folders, self._servers = folders, servers
        self._lock, self._memory_mb = threading.Lock(), 0
        for folder in folders:
            if (folder / "pids.max").exists():  # version 1 has a folder each for memory and pids
                (folder / "pids.max").write_text(str(servers * THREADS))

    def add(self, pid: int) -> None:
        """Take in a server, and all that it forks from now on. Raises OSError."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def allow(self, memory_mb: int) -> None:
        """Programs of so many MiB are to come: all servers together have room for them."""
        with self._lock:
            if memory_mb <= self._memory_mb:
                return
            self._memory_mb = memory_mb
            most = self._servers * (memory_mb + SERVER_MIB) << 20
            for folder, name in self.folders.items():
                if (folder / name).exists():
                    (folder / name).write_text(str(most))


def make(name: str, servers: int) -> Group | None:
    """A new group, where our own limits go on to hold; None where we may not make one."""
    folders: dict[Path, str] = {}
    try:
        for above, file in _above().items():
            (above / name).mkdir()
            folders[above / name] = file
        return Group(folders, servers) if folders else None
    except OSError:
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()
        return None


def _above() -> dict[Path, str]:
    """Where a group can be made, with the file of its memory limit; nothing where it cannot."""
    places = _places()
    if "" in places:  # version 2: processes are in leaves alone, so beside us is below our parent
        own, kind = places[""]
        root, path = own
        above = root / path.lstrip("/")
        above = above.parent if path != "/" else above
        control = (above / "cgroup.subtree_control").read_text().split()
        if set(NEEDED) <= set(control):
            return {above: _MEMORY_FILE[kind]}
    found = {}
    for controller in NEEDED:
        if controller not in places:
            return {}
        (root, path), kind = places[controller]
        found[root / path.lstrip("/")] = _MEMORY_FILE[kind]
    return found


def _places() -> dict[str, tuple[tuple[Path, str], str]]:
    """By controller ("": version 2): where its hierarchy is mounted, our path in it, its kind."""
    mounts: dict[str, tuple[Path, str]] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            mounts[""] = Path(where), kind
        elif kind == "cgroup":
            mounts |= {option: (Path(where), kind) for option in options.split(",")}
    found = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounts:
                root, kind = mounts[controller]
                found[controller] = (root, path), kind
    return found
