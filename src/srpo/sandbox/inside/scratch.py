"""The scratch directory of a server: what a program has in it, and making it empty again."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

MAX_FILES, MAX_FOLDERS = 1000, 50
_FEW_FILES = 50
_SPARE = 256 << 20  # bytes of a shared disk that programs leave alone


class Scratch:
    """The scratch directory at `path`.

    sized  whether it is a file system of its own, of a fixed size. Then that says exactly what is
           taken, by files that were removed and are still open or mapped as well. Else the files
           are counted, none of them can be removed (see `syscalls`), and what is free on the disk
           that it shares is watched.
    """

    def __init__(self, path: str, sized: bool) -> None:
        self.path, self.sized = path, sized
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def fits(self, most_bytes: int) -> bool:
        """Whether the files are within the quota; files that cannot be counted are not."""
        if not self.sized:
            return self._count_fits(most_bytes)
        disk = os.fstatvfs(self._fd)
        taken = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        return taken <= most_bytes and disk.f_files - disk.f_ffree <= MAX_FILES

    def _count_fits(self, most_bytes: int) -> bool:
        total, files, folders = 0, 0, [self.path]
        try:
            for folder in folders:  # grows on the way
                for entry in os.scandir(folder):
                    files += 1
                    with suppress(FileNotFoundError):
                        info = entry.stat(follow_symlinks=False)
                        total += info.st_blocks * 512
                        if stat.S_ISDIR(info.st_mode):
                            folders.append(entry.path)
                    if total > most_bytes or files > MAX_FILES or len(folders) > MAX_FOLDERS:
                        return False
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return total < 1 << 20 or self._spare()

    def _spare(self) -> bool:
        disk = os.fstatvfs(self._fd)
        return disk.f_bavail * disk.f_frsize > _SPARE

    def empty(self) -> bool:
        """Remove the files; whether it is empty now. Folders, and files in great number, are left
        to the host, which has more time."""
        names = os.listdir(self._fd)
        try:
            for name in names[:_FEW_FILES]:
                os.unlink(name, dir_fd=self._fd)
        except OSError:
            return False
        return len(names) <= _FEW_FILES
