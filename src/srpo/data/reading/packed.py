"""Files as streams of bytes, unpacked where they are .gz or .zst: flat in memory, bombs refused."""

from __future__ import annotations

import io
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from srpo.data.reading.faults import Broken, first_line

CODECS = {".gz": "gzip", ".zst": "zstd"}
BOMB_RATIO = 500  # text unpacks to 3 to 50 times its size
BOMB_FLOOR = 256 << 20  # bytes: below this no ratio does harm
PIECE = 256  # bytes: at most so many are lost before the place where a packed file is damaged
BUFFER = 64 << 10


def open_bytes(path: Path) -> io.BufferedReader:
    """The bytes within a file. Opening it or reading it raises Broken."""
    return io.BufferedReader(_Raw(path), BUFFER)


def open_seekable(path: Path) -> AbstractContextManager[IO[bytes]]:
    """The bytes within a file, for readers that jump: unpacked into a file without a name. Raises
    Broken."""
    try:
        if path.suffix not in CODECS:
            return path.open("rb")
        unpacked: Any = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the reader)
        with open_bytes(path) as file:
            while block := file.read(1 << 20):
                unpacked.write(block)
    except OSError as error:
        raise Broken(f"cannot be read: {first_line(error)}") from error
    unpacked.seek(0)
    return unpacked


def check_ratio(packed: int, unpacked: int) -> None:
    """Raises Broken for what is made to fill the memory or the disk."""
    if unpacked > BOMB_FLOOR and unpacked > BOMB_RATIO * packed:
        raise Broken(
            f"unpacks to more than {BOMB_RATIO} times its {packed:,} bytes, as no text does; give"
            " the file unpacked if you trust it"
        )


class _Raw(io.RawIOBase):
    def __init__(self, path: Path) -> None:
        self._codec = CODECS.get(path.suffix)
        self._given = 0
        self._failed: Broken | None = None
        try:
            self._size = path.stat().st_size
            self._stream: Any = pa.OSFile(str(path))
            if self._codec:
                self._stream = pa.CompressedInputStream(self._stream, self._codec)
        except (OSError, pa.ArrowException) as error:
            raise Broken(f"cannot be read: {first_line(error)}") from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """In pieces: what was read before the damage is given first, then Broken is raised."""
        if self._failed is not None:
            raise self._failed
        done = 0
        while done < len(buffer):
            try:
                piece = self._read(min(len(buffer) - done, PIECE if self._codec else BUFFER))
            except Broken as error:
                self._failed = error
                if done:
                    break
                raise
            if not piece:
                break
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        return done

    def _read(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except (OSError, pa.ArrowException) as error:
            what = f"no whole {self._codec} file" if self._codec else "cannot be read"
            raise Broken(f"{what}: {first_line(error)}; fetch or write it anew") from error
        self._given += len(piece)
        if self._codec:
            check_ratio(self._size, self._given)
        return piece

    def close(self) -> None:
        if not self.closed and hasattr(self, "_stream"):
            self._stream.close()
        super().close()
