"""Frames over a pair of pipes, with deadlines: how the host talks to its helper processes.

A frame is a 4-byte big-endian length and that many bytes. Both directions are polled together,
so that a helper that hangs, stops, dies or talks while it is talked to costs at most the
deadline, in any thread.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Iterable

MAX_FRAME = 1 << 28
PIECE = 1 << 20


class PeerGone(Exception):
    """The other end closed its pipe, or sent what is no frame."""


class PeerSilent(Exception):
    """The other end did not read or answer before the deadline."""


class FramedPipes:
    """The host's ends. Does not own the descriptors: who opened them closes them."""

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write_fd, self._read_fd = write_fd, read_fd
        self._out, self._in = bytearray(), bytearray()
        os.set_blocking(write_fd, False)
        os.set_blocking(read_fd, False)

    def send(self, payload: bytes, deadline: float) -> None:
        """Write one frame before `deadline` (time.monotonic() seconds)."""
        self.post(payload)
        while self._out:
            wait([self], deadline)

    def receive(self, deadline: float) -> bytes:
        """Read one frame before `deadline` (time.monotonic() seconds)."""
        while (payload := self.take()) is None:
            wait([self], deadline)
        return payload

    def post(self, payload: bytes) -> None:
        """Begin to write one frame; `wait` goes on with it."""
        self._out += struct.pack(">I", len(payload)) + payload
        self._write()

    def take(self) -> bytes | None:
        """A frame that has come, if one has."""
        if len(self._in) >= 4 and int.from_bytes(self._in[:4], "big") > MAX_FRAME:
            raise PeerGone(f"a frame of {int.from_bytes(self._in[:4], 'big')} bytes")
        return cut_frame(self._in)

    def _register(self, poll: select.poll) -> None:
        poll.register(self._read_fd, select.POLLIN)
        if self._out:
            poll.register(self._write_fd, select.POLLOUT)

    def _write(self) -> None:
        try:
            while self._out:
                written = os.write(self._write_fd, memoryview(self._out)[:PIECE])
                del self._out[:written]
        except BlockingIOError:
            return
        except OSError as error:
            raise PeerGone(str(error)) from error

    def _read(self) -> None:
        try:
            piece = os.read(self._read_fd, PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            raise PeerGone(str(error)) from error
        if not piece:
            raise PeerGone("the pipe was closed")
        self._in += piece


def wait(links: Iterable[FramedPipes], deadline: float) -> None:
    """Until one of them could read or write something; does that. Raises PeerSilent, PeerGone."""
    poll = select.poll()
    owners = {}
    for link in links:
        link._register(poll)
        owners |= {link._read_fd: link._read, link._write_fd: link._write}
    left = deadline - time.monotonic()
    events = poll.poll(left * 1000) if left > 0 else []
    if not events:
        raise PeerSilent()
    for fd, _ in events:
        owners[fd]()


def cut_frame(buffer: bytearray) -> bytes | None:
    """Take the first whole frame out of `buffer`; None when there is none yet."""
    if len(buffer) < 4:
        return None
    size = 4 + struct.unpack_from(">I", buffer)[0]
    if len(buffer) < size:
        return None
    payload = bytes(buffer[4:size])
    del buffer[:size]
    return payload
