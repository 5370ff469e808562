"""Frames over a pair of pipes, with deadlines: how the host talks to its helper processes.

A frame is a 4-byte big-endian length and that many bytes. Both ends are polled, so that a
helper that hangs, stops or dies costs at most the deadline, in any thread.
"""

from __future__ import annotations

import os
import select
import struct
import time

MAX_FRAME = 1 << 28


class PeerGone(Exception):
    """The other end closed its pipe, or sent what is no frame."""


class PeerSilent(Exception):
    """The other end did not read or answer before the deadline."""


class FramedPipes:
    """The host's ends. Does not own the descriptors: who opened them closes them."""

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write_fd, self._read_fd = write_fd, read_fd
        os.set_blocking(write_fd, False)
        os.set_blocking(read_fd, False)

    def send(self, payload: bytes, deadline: float) -> None:
        """Write one frame before `deadline` (time.monotonic() seconds)."""
        rest = memoryview(struct.pack(">I", len(payload)) + payload)
        while rest:
            _wait(self._write_fd, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._write_fd, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise PeerGone(str(error)) from error

    def receive(self, deadline: float) -> bytes:
        """Read one frame before `deadline` (time.monotonic() seconds)."""
        (size,) = struct.unpack(">I", self._exactly(4, deadline))
        if size > MAX_FRAME:
            raise PeerGone(f"a frame of {size} bytes")
        return self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        got = bytearray()
        while len(got) < size:
            _wait(self._read_fd, select.POLLIN, deadline)
            try:
                piece = os.read(self._read_fd, min(size - len(got), 1 << 20))
            except BlockingIOError:
                continue
            except OSError as error:
                raise PeerGone(str(error)) from error
            if not piece:
                raise PeerGone("the pipe was closed")
            got += piece
        return bytes(got)


def _wait(fd: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(fd, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise PeerSilent()
