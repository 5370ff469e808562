"""Frames on a descriptor: a 4-byte big-endian length, then that many bytes."""

from __future__ import annotations

import os
import struct


def write_frame(fd: int, payload: bytes) -> None:
    """Write the whole of it, waiting as long as the reader takes."""
    rest = memoryview(frame(payload))
    while rest:
        rest = rest[os.write(fd, rest) :]


def frame(payload: bytes) -> bytes:
    """The payload, up to 4 GiB, with its length before it."""
    return struct.pack(">I", len(payload)) + payload


def read_frame(fd: int) -> bytes | None:
    """The next frame; None when the other end is closed."""
    head = _exactly(fd, 4)
    return None if head is None else _exactly(fd, struct.unpack(">I", head)[0])


def _exactly(fd: int, size: int) -> bytes | None:
    got = bytearray()
    while len(got) < size:
        piece = os.read(fd, min(size - len(got), 1 << 20))
        if not piece:
            return None
        got += piece
    return bytes(got)
