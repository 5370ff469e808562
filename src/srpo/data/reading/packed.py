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
BOMB_FLOOR = 256 << 20  # bytes: below this no ratio of a table does harm
STRETCH = 32 << 20  # bytes unpacked, over each of which the ratio of a stream is taken
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


def check_ratio(packed: int, unpacked: int, floor: int = BOMB_FLOOR) -> None:
    """Raises Broken for what is made to fill the memory or the disk."""
    if unpacked > floor and unpacked > BOMB_RATIO * packed:
        raise Broken(
            f"unpacks to more than {BOMB_RATIO} times its size, {unpacked:,} bytes from {packed:,},"
            " as no text does; give the file unpacked if you trust it"
        )


class _Raw(io.RawIOBase):
    def __init__(self, path: Path) -> None:
        self._path, self._codec = path, CODECS.get(path.suffix)
        self._piece = BUFFER
        self._failed: Broken | None = None
        self._open()

    def _open(self) -> None:
        self._given = self._stretch_from = self._packed_from = 0
        try:
            self._file = self._stream = pa.OSFile(str(self._path))
            if self._codec:
                self._stream = pa.CompressedInputStream(self._file, self._codec)
        except (OSError, pa.ArrowException) as error:
            raise Broken(f"cannot be read: {first_line(error)}") from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """What was read before the damage is given first, then Broken is raised."""
        if self._failed is not None:
            raise self._failed
        done = 0
        while done < len(buffer):
            try:
                piece = self._read(min(len(buffer) - done, self._piece))
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
            if self._codec and self._piece == BUFFER:
                self._again_byte_by_byte()
                return self._read(1)
            what = f"no whole {self._codec} file" if self._codec else "cannot be read"
            raise Broken(f"{what}: {first_line(error)}; fetch or write it anew") from error
        self._given += len(piece)
        if self._codec and self._given - self._stretch_from > STRETCH:
            self._check_stretch()
        return piece

    def _again_byte_by_byte(self) -> None:
        """A piece with damage in it is lost as a whole: go back to where it began."""
        given = self._given
        self._stream.close()
        self._open()
        self._piece = 1
        while self._given < given:
            self._given += len(self._stream.read(min(BUFFER, given - self._given)))
        self._stretch_from, self._packed_from = given, self._file.tell()

    def _check_stretch(self) -> None:
        """By stretches, so that a bomb ends soon whatever its size, and whatever came before it."""
        packed = self._file.tell()
        check_ratio(packed - self._packed_from, self._given - self._stretch_from, STRETCH)
        self._stretch_from, self._packed_from = self._given, packed

    def close(self) -> None:
        if not self.closed and hasattr(self, "_stream"):
            self._stream.close()
        super().close()
