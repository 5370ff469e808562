"""The warm server: a confined Python that forks once per program.

Reads requests from descriptor 0 and writes replies to descriptor 1, both as frames (4-byte
length, JSON). It holds no expected outputs, runs one program at a time, and leaves nothing
between two programs: the child is killed with its whole process group, the scratch directory
emptied. When it cannot do that it says "dirty", and the host replaces it.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import stat
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from . import harness, lockdown

CHECK_S = 0.05  # how often an otherwise silent program and its files are looked at
MAX_FILES = 1000
PRELOAD = (
    "abc array bisect builtins collections copy dataclasses datetime decimal enum fractions "
    "functools heapq io itertools math operator queue random re site statistics string "
    "textwrap threading traceback types typing unicodedata"
)


@dataclass(slots=True)
class Watched:
    """One running program, seen from the server."""

    pid: int
    started: float
    pipes: dict[int, bytearray] = field(default_factory=dict)  # descriptor -> what came
    exit_code: int = 0


def main(scratch: str, confined: bool) -> None:
    """Serve until the host closes its end."""
    c = lockdown.libc() if confined else None
    if c is not None:
        lockdown.lock_server(c)
    for name in PRELOAD.split():
        __import__(name)
    __import__("site").setquit()  # exit() and quit(), which -S leaves out
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)
    gc.collect()
    gc.freeze()
    _send({"ready": True})
    while (request := _receive()) is not None:
        reply = run_one(request, scratch, c)
        reply["dirty"] = not (_no_children() and _empty(scratch))
        _send(reply)


def run_one(request: dict[str, Any], scratch: str, c: Any) -> dict[str, Any]:
    """Fork, watch, reap. The reply: status, detail, stdout, envelope (or None), seconds."""
    out_r, out_w = os.pipe()
    result_r, result_w = os.pipe()
    nonce = os.urandom(16).hex().encode()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(request, scratch, c, out_w, result_w, nonce)
    os.close(out_w)
    os.close(result_w)
    program = Watched(pid, started, {out_r: bytearray(), result_r: bytearray()})
    try:
        verdict = _watch(program, request, scratch)
    finally:
        _kill(pid)
        program.exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(out_r)
        os.close(result_r)
    stdout, result = (bytes(b) for b in program.pipes.values())
    return _reply(program, verdict, stdout, result, nonce)


def _child(
    request: dict[str, Any], scratch: str, c: Any, out_w: int, result_w: int, nonce: bytes
) -> None:
    """Runs in the fork and never returns."""
    code = 70
    try:
        os.setsid()
        os.chdir(scratch)
        text = request["stdin"].encode("utf-8", "surrogateescape")
        os.dup2(_file_of(text), 0)
        os.dup2(out_w, 1)
        os.dup2(result_w, 3)
        os.closerange(4, 256)
        lockdown.limit(request["time_s"], request["memory_mb"] << 20, request["scratch_mb"] << 20)
        if c is not None:
            lockdown.lock_program(c)
        envelope = memoryview(nonce + harness.run(request))
        while envelope:
            envelope = envelope[os.write(3, envelope) :]
        code = 0
    finally:
        os._exit(code)


def _file_of(text: bytes) -> int:
    """A descriptor to read `text` from: a file without a name, so that its size is no matter."""
    fd = os.memfd_create("stdin") if hasattr(os, "memfd_create") else _unnamed_file()
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _unnamed_file() -> int:
    fd = os.open("stdin", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink("stdin")
    return fd


def _watch(program: Watched, request: dict[str, Any], scratch: str) -> tuple[str, str]:
    """Until the program ends ("", "") or meets a limit (status, detail)."""
    deadline = program.started + request["time_s"]
    checked = program.started
    poll = select.poll()
    for fd in program.pipes:
        poll.register(fd, select.POLLIN)
    still_open = set(program.pipes)
    while True:
        now = time.monotonic()
        if now >= deadline:
            return "timeout", f"timed out after {request['time_s']:g} s"
        # Both ends closed means that it is about to exit: look again soon.
        wait = min(CHECK_S if still_open else 0.001, deadline - now)
        for fd, _ in poll.poll(wait * 1000):
            piece = os.read(fd, 1 << 16)
            if not piece:
                poll.unregister(fd)
                still_open.discard(fd)
            program.pipes[fd] += piece
            if len(program.pipes[fd]) > request["output_bytes"] + 256:
                return "output", f"more than {request['output_bytes']} bytes of output"
        if _ended(program.pid):
            return _drain(program, still_open, request["output_bytes"])
        if now - checked > CHECK_S:
            checked = now
            if not _fits(scratch, request["scratch_mb"] << 20):
                return "output", f"more than {request['scratch_mb']} MiB or {MAX_FILES} files"


def _drain(program: Watched, still_open: set[int], most: int) -> tuple[str, str]:
    """What an ended program left in its pipes (a descendant may hold them open: don't wait)."""
    for fd in still_open:
        os.set_blocking(fd, False)
        try:
            while piece := os.read(fd, 1 << 16):
                program.pipes[fd] += piece
                if len(program.pipes[fd]) > most + 256:
                    return "output", f"more than {most} bytes of output"
        except BlockingIOError:
            continue
    return "", ""


def _reply(
    program: Watched, verdict: tuple[str, str], out: bytes, result: bytes, nonce: bytes
) -> dict[str, Any]:
    status, detail = verdict
    envelope = None
    if not status:
        code = program.exit_code
        if result.startswith(nonce):
            envelope = result[len(nonce) :].decode("utf-8", "replace")
        elif code == -signal.SIGXCPU:
            status, detail = "timeout", "timed out: CPU time"
        elif code < 0:
            status, detail = "killed", f"killed by signal {-code}"
        else:
            status, detail = "exited", f"exited early with code {code}"
    return {
        "status": status,
        "detail": detail,
        "stdout": out.decode("utf-8", "replace"),
        "envelope": envelope,
        "exit_code": program.exit_code,
        "seconds": time.monotonic() - program.started,
    }


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # before it has its own group there is only itself
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _ended(pid: int) -> bool:
    """Whether it has ended; it stays a zombie, so that its number cannot be another's yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _no_children() -> bool:
    """Whether every process that the program may have left is gone (orphans come to us)."""
    try:
        os.waitpid(-1, os.WNOHANG)
        return False
    except ChildProcessError:
        return True


def _fits(scratch: str, most_bytes: int) -> bool:
    total = files = 0
    for folder, _, names in os.walk(scratch):
        files += 1 + len(names)
        for name in names[:MAX_FILES]:
            try:
                info = os.lstat(os.path.join(folder, name))
                total += info.st_blocks * 512 if stat.S_ISREG(info.st_mode) else 0
            except OSError:
                continue
        if total > most_bytes or files > MAX_FILES:
            return False
    return True


def _empty(scratch: str) -> bool:
    """Remove everything in the scratch directory; whether that worked."""
    try:
        os.chmod(scratch, 0o700)
        for entry in list(os.scandir(scratch)):
            if entry.is_dir(follow_symlinks=False):
                _make_removable(entry.path)
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        return True
    except (OSError, RecursionError):
        return False


def _make_removable(folder: str) -> None:
    os.chmod(folder, 0o700)
    for inner, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(inner, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)


def _send(message: dict[str, Any]) -> None:
    payload = json.dumps(message).encode()
    rest = memoryview(struct.pack(">I", len(payload)) + payload)
    while rest:
        rest = rest[os.write(1, rest) :]


def _receive() -> dict[str, Any] | None:
    head = _exactly(4)
    if head is None:
        return None
    body = _exactly(struct.unpack(">I", head)[0])
    return None if body is None else json.loads(body)


def _exactly(size: int) -> bytes | None:
    got = bytearray()
    while len(got) < size:
        piece = os.read(0, min(size - len(got), 1 << 20))
        if not piece:
            return None
        got += piece
    return bytes(got)
