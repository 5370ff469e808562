"""Programs that try to get out. All are harmless where the walls fail."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srpo.sandbox.base import Call, Limits, Program
from srpo.sandbox.inside.clock import PATIENCE
from srpo.sandbox.warm import WarmSandbox
from walls import REAL, opened


@pytest.fixture(scope="module", params=REAL)
def mechanism(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def sandbox(mechanism: str) -> Iterator[WarmSandbox]:
    with opened(mechanism, workers=1) as box:
        yield box


CALL = (  # a system call by its number on x86_64 and aarch64
    "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)\n"
    "INFO = bytes(8) + bytes([255] * 4) + bytes(116)  # si_code SI_QUEUE, which anybody may send\n"
    "def call(numbers, *a):\n"
    "    number = numbers[os.uname().machine == 'aarch64']\n"
    "    if c.syscall(number, *a) < 0 and ctypes.get_errno() == 1: raise PermissionError\n"
)
DENIED = {
    "read passwd": "open('/etc/passwd').read()",
    "read the host's proc": "import os; os.listdir('/proc')",
    "read the server's memory": "import os; open(f'/proc/{os.getppid()}/mem', 'rb')",
    "read the package": "import os; os.listdir(HERE)",
    "write to tmp": "open('/tmp/srpo-escaped', 'w').write('x')",
    "write beside scratch": "open('../srpo-escaped', 'w').write('x')",
    "write to the root": "open('/srpo-escaped', 'w').write('x')",
    "write to shared memory": "open('/dev/shm/srpo-escaped', 'w').write('x')",
    "write to the library": "import json; open(json.__file__ + 'x', 'w').write('x')",
    "symlink out": "import os; os.symlink('/etc/passwd', 'l'); open('l').read()",
    "hard link out": "import os; os.link('/etc/passwd', 'l'); open('l').read()",
    "TCP": "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
    "UDP": "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 9))",
    "unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "fork": "import os; os.fork()",
    "exec": "import os; os.execv('/bin/ls', ['ls'])",
    "shell": "import subprocess; subprocess.run(['ls'], check=True)",
    "multiprocessing": "import multiprocessing as m; m.Process(target=print).start()",
    "kill the parent": "import os; os.kill(os.getppid(), 9)",
    "kill the parent's group": "import os; os.killpg(os.getpgid(os.getppid()), 9)",
    "kill init": "import os; os.kill(1, 0)",
    "kill all": "import os; os.kill(-1, 0)",
    "signal a thread of the parent": CALL + "call((234, 131), os.getppid(), os.getppid(), 0)",
    "signal the parent's thread": CALL + "call((200, 130), os.getppid(), 0)",
    "queue a signal": CALL + "call((129, 138), os.getppid(), 0, INFO)",
    "queue a signal to a thread": CALL + "call((297, 240), *[os.getppid()] * 2, 0, INFO)",
    "a file that signals the parent": (
        "import fcntl, os; fcntl.fcntl(os.open('f', 66), 8, os.getppid())"
    ),
    "SysV shared memory": CALL + "call((29, 194), 1, 4096, 0o1666)",
    "SysV queue": CALL + "call((68, 186), 1, 0o1666)",
    "SysV semaphore": CALL + "call((64, 190), 1, 1, 0o1666)",
    "POSIX queue": CALL + "call((240, 180), b'q', 66, 0o600, None)",
    "kernel log": CALL + "call((103, 116), 10, None, 0)",
    "leave the session": "import os; os.setsid()",
    "limit the parent": "import os, resource as r; r.prlimit(os.getppid(), r.RLIMIT_CPU, (9, 9))",
    "pin the parent": "import os; os.sched_setaffinity(os.getppid(), [0])",
    "re-nice the parent": "import os; os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "raise own limits": "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (4096, 4096))",
    "change user": "import os; os.setuid(12345)",
    "chroot": "import os; os.chroot('.')",
    "memfd": "import os; os.memfd_create('x')",
    "ptrace the parent": (
        "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)\n"
        "if c.ptrace(16, os.getppid(), 0, 0) < 0: raise PermissionError(ctypes.get_errno())"
    ),
    "raw fork": (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True)\n"
        "if c.syscall(56, 17, 0, 0, 0, 0) < 0: raise PermissionError(ctypes.get_errno())"
    ),
}


@pytest.mark.parametrize("name", DENIED)
def test_denied(sandbox: WarmSandbox, name: str) -> None:
    code = f"HERE = {os.path.dirname(__file__)!r}\n" + DENIED[name]
    result = sandbox.run(Program(code), Limits())
    assert result.status == "exception", result
    assert "Error" in result.detail
    assert not Path("/tmp/srpo-escaped").exists()


def test_fork_bomb_makes_nothing(sandbox: WarmSandbox) -> None:
    code = (
        "import os\nmade = 0\nfor _ in range(50):\n    try:\n        pid = os.fork()\n"
        "    except OSError:\n        continue\n    if pid == 0:\n        os._exit(0)\n"
        "    made += 1\nprint(made)"
    )
    assert sandbox.run(Program(code), Limits()).stdout == "0\n"


def test_no_descriptors_but_its_own(sandbox: WarmSandbox) -> None:
    """0, 1, 2 and its message pipes: not the pipes between server and host."""
    code = (
        "import os\nheld = []\nfor fd in range(64):\n    try:\n        os.fstat(fd)\n"
        "        held.append(fd)\n    except OSError:\n        pass\nprint(held)"
    )
    assert sandbox.run(Program(code), Limits()).stdout == "[0, 1, 2, 3, 4]\n"


def test_signals_to_itself_arrive(sandbox: WarmSandbox) -> None:
    code = (
        "import os, signal, threading\ncount = []\n"
        "signal.signal(10, lambda *a: count.append(1))\n"
        "os.kill(os.getpid(), 10); os.kill(0, 10); signal.raise_signal(10)\n"
        "def thread(): signal.pthread_kill(threading.main_thread().ident, 10)\n"
        "t = threading.Thread(target=thread); t.start(); t.join()\n"
        "print(len(count))\nos.abort()"
    )
    result = sandbox.run(Program(code.replace("os.abort()", "")), Limits())
    assert (result.status, result.stdout) == ("ok", "4\n")
    assert "signal 6" in sandbox.run(Program(code), Limits()).detail


def test_environment_is_clean(mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPO_SECRET", "x")
    with opened(mechanism, 1) as box:
        out = box.run(Program("import os; print(sorted(os.environ))"), Limits()).stdout
    assert "SRPO_SECRET" not in out
    assert "PYTHONPATH" not in out


def test_scratch_is_emptied(sandbox: WarmSandbox) -> None:
    make = "import os\nos.makedirs('a/b'); open('a/b/c', 'w').write('x'); os.chmod('a', 0)\n"
    assert sandbox.run(Program(make), Limits()).status == "ok"
    assert sandbox.run(Program("import os; print(os.listdir('.'))"), Limits()).stdout == "[]\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("while True: pass", "timeout"),
        ("import time; time.sleep(60)", "timeout"),
        ("import signal; signal.pause()", "timeout"),
        ("import os; os.closerange(0, 64)\nwhile True: pass", "timeout"),
        (
            "import threading as t\nt.Thread(target=t.Event().wait, daemon=True).start()",
            "ok",
        ),  # main ended
        ("x = bytearray(1 << 34)", "memory"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "memory"),
        ("while True: print('x' * 1000)", "output"),
        ("f = open('f', 'wb')\nwhile True: f.write(b'x' * 100000)", "exception"),
        (
            "i = 0\nwhile True:\n  open(f'f{i}', 'wb').write(bytes(10**6)); i += 1",
            "output exception",
        ),
        ("import ctypes; ctypes.string_at(0)", "killed"),
    ],
)
def test_limits(sandbox: WarmSandbox, code: str, status: str) -> None:
    took = []
    for _ in range(3):  # a busy machine is late once, a missing limit always
        sandbox.run(Program(""), Limits())  # a server is there: its start is not the program's time
        start = time.monotonic()
        result = sandbox.run(Program(code), Limits(time_s=0.6, memory_mb=256))
        took.append(time.monotonic() - start)
        assert result.status in status.split(), result
        assert len(result.stdout) <= Limits().output_bytes
        if took[-1] < PATIENCE * 0.6 + 1:
            break
    assert min(took) < PATIENCE * 0.6 + 1
    assert sandbox.run(Program("print(1)"), Limits()).stdout == "1\n"


FORGERIES = {
    "exit early": "import os\ndef f(x): os._exit(0)",
    "sys.exit": "import sys\ndef f(x): sys.exit(0)",
    "markers on stdout": 'print(\'{"status": "ok", "values": [1]}\')\ndef f(x): raise ValueError',
    "junk on the pipe": 'import os\nos.write(3, b\'{"status": "ok"}\')\ndef f(x): os._exit(0)',
    "equal to all": "class A:\n  __eq__ = lambda s, o: True\ndef f(x): return A()",
    "equal to all, an int": "class A(int):\n  __eq__ = lambda s, o: True\ndef f(x): return A(7)",
    "patched json": "import json\njson.dumps = lambda v: 'true'\ndef f(x): return 7",
    "nesting": "import json\njson.dumps = lambda v: '[' * 10**5\ndef f(x): return 7",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_return_no_more_than_they_know(sandbox: WarmSandbox, name: str) -> None:
    result = sandbox.run(Program(FORGERIES[name], "f", (Call((1,)),)), Limits())
    assert not (result.status == "ok" and result.values == (1,)), result
    assert result.values in ((), (7,), (True,))


def test_nothing_left_behind(mechanism: str) -> None:
    with opened(mechanism, 2) as box:
        box.run(Program("open('f', 'w').write('x')"), Limits())
        (pid,) = box.pids()
        scratch = Path(f"/proc/{pid}/cwd").readlink()
        assert scratch.exists()
    assert not scratch.exists()
    assert not Path(f"/proc/{pid}").exists()
    out = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True)
    assert b"srpo-sandbox-" + scratch.name[-8:].encode() not in out.stdout
