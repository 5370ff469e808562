"""Containment shown, not claimed: a table of attempts to get out, run in an opened sandbox.

Every attempt is harmless where it succeeds. Its program prints OUT when it got out and KEPT
when the system refused; anything else proves nothing and does not count as kept.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from srpo.errors import SandboxError
from srpo.sandbox import launch
from srpo.sandbox.base import Call, ExecutionResult, Limits, Program, Sandbox, Status

OUT, KEPT = "OUT", "KEPT"
LIMITS = Limits(time_s=10.0, memory_mb=256)  # generous: a busy machine is no broken one
BRIEF = Limits(time_s=0.3, memory_mb=256)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way out.

    code     a body of Python that raises OSError where it is kept in, and may use the names of
             `Bait`; it may print KEPT or OUT itself
    stopped  the status that means kept as well, for attempts at a limit rather than at a wall
    bare     whether it is kept in without walls too, by limits of the process alone
    """

    code: str
    stopped: Status | None = None
    limits: Limits = LIMITS
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Bait:
    """What is laid out on the host for the attempts to reach."""

    SECRET: str  # a file to read
    TARGET: str  # a file to make
    PORT: int  # of a listener on 127.0.0.1
    HOME: str
    HOME_ID: tuple[int, int]  # device and inode: a folder of the same name is another
    NAMES: set[str]  # of our environment's variables, less those that every server is given


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one attempt; `detail` tells a person how it ended."""

    name: str
    kept: bool
    detail: str


# What is asked of the C library raises OSError where it says no.
_C = (
    "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
    "def asked(result):\n"
    "    if result < 0: raise OSError(ctypes.get_errno(), '')\n"
)
ATTEMPTS = {
    "read a file outside": Attempt("open(SECRET).read()"),
    "write a file outside": Attempt("open(TARGET, 'w').close()"),
    "list the home folder": Attempt(
        "os.listdir(HOME)\n"
        "info = os.stat(HOME)\n"
        "if (info.st_dev, info.st_ino) != HOME_ID: raise OSError('another folder')"
    ),
    "see the environment": Attempt(
        "if not NAMES & set(os.environ):\n    open(f'/proc/{os.getppid()}/environ', 'rb').read()"
    ),
    "connect to a socket": Attempt(
        "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1).close()"
    ),
    "fork": Attempt("pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)"),
    "run another program": Attempt(
        "import sys\nos.execv(sys.executable, [sys.executable, '-S', '-c', 'print(\"OUT\")'])"
    ),
    "leave a process behind": Attempt(
        "if os.fork() == 0:\n"
        "    os.setsid(); os.closerange(0, 256)\n"
        "    import time; time.sleep(0.2); os._exit(0)"
    ),
    "signal its parent": Attempt("os.kill(os.getppid(), 0)"),
    "read its parent's memory": Attempt("open(f'/proc/{os.getppid()}/mem', 'rb').close()"),
    "trace its parent": Attempt(
        "import ctypes\n"
        "c = ctypes.CDLL(None, use_errno=True)\n"
        "SEIZE = 0x4206  # attaches without stopping; ends with this process\n"
        "if c.ptrace(SEIZE, os.getppid(), None, None) < 0: raise OSError(ctypes.get_errno(), '')"
    ),
    "outlive its server": Attempt(_C + "asked(c.prctl(1, 0, 0, 0, 0))  # no signal at its death"),
    "take more memory": Attempt("bytes(1 << 30)", stopped="memory", bare=True),
    "take more time": Attempt(
        "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass",
        stopped="timeout",
        limits=BRIEF,
        bare=True,
    ),
    "take the kernel's memory for pages far apart": Attempt(
        _C + "c.mmap.restype = ctypes.c_void_p\n"
        "where = c.mmap(ctypes.c_void_p(1 << 44), ctypes.c_size_t(4096), 1, 0x100022, -1, None)\n"
        "if where == 2 ** 64 - 1: raise OSError(ctypes.get_errno(), '')"
    ),
    "start 200 threads": Attempt(
        "import threading\nthreading.stack_size(1 << 16); stop = threading.Event()\n"
        "try:\n"
        "    for _ in range(200): threading.Thread(target=stop.wait, daemon=True).start()\n"
        "except RuntimeError: raise OSError('no more')\n"
        "finally: stop.set()"
    ),
    "open 60 descriptors": Attempt("for _ in range(60): os.dup(0)", bare=True),
    "fill the disk with removed files": Attempt(
        "for i in range(24):\n"
        "    fd = os.open(f'f{i}', os.O_RDWR | os.O_CREAT); os.unlink(f'f{i}')\n"
        "    left = 4 << 20\n"
        "    while left: left -= os.write(fd, bytes(min(left, 1 << 20)))\n",
        stopped="output",
    ),
    "hold a file of the library": Attempt(
        "import fcntl\nfcntl.fcntl(os.open(os.__file__, os.O_RDONLY), 1024, fcntl.F_RDLCK)"
    ),
    "queue 200 signals": Attempt(
        _C + "c.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]\n"
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [40])\n"
        "for _ in range(200): asked(c.sigqueue(os.getpid(), 40, None))",
        bare=True,
    ),
    "take the machine's timers": Attempt(
        _C + "asked(c.timer_create(1, None, ctypes.byref(ctypes.c_void_p())))"
    ),
    "take the machine's asynchronous requests": Attempt(
        _C + "number = 206 if os.uname().machine == 'x86_64' else 0\n"
        "asked(c.syscall(number, 8, ctypes.byref(ctypes.c_ulong())))"
    ),
}


def prove(sandbox: Sandbox) -> list[Proof]:
    """Make every attempt. A proof for each.

    Raises SandboxError when the sandbox does not even run an honest program: then nothing
    that an attempt fails at proves anything.
    """
    double = Program("def double(n): return 2 * n", "double", (Call((21,)),))
    result = sandbox.run(double, LIMITS)
    if result.values != (42,):
        words = f"{result.status} {result.detail}".strip()
        raise SandboxError(f"a trivial program failed: {words}")
    with _bait() as bait:
        return [_try(sandbox, name, attempt, bait) for name, attempt in ATTEMPTS.items()]


def _try(sandbox: Sandbox, name: str, attempt: Attempt, bait: Bait) -> Proof:
    result = sandbox.run(Program(program(attempt, bait)), attempt.limits)
    kept = result.stdout.strip() == KEPT and not os.path.exists(bait.TARGET)
    kept = kept or (attempt.stopped is not None and result.status == attempt.stopped)
    Path(bait.TARGET).unlink(missing_ok=True)
    return Proof(name, kept, _words(result))


def program(attempt: Attempt, bait: Bait) -> str:
    """The attempt as a whole program."""
    names = "".join(f"{key} = {getattr(bait, key)!r}\n" for key in Bait.__slots__)
    body = "".join(f"    {line}\n" for line in attempt.code.splitlines())
    ends = f"except OSError: print({KEPT!r})\nelse: print({OUT!r})\n"
    return f"import os\n{names}try:\n{body}{ends}"


def _words(result: ExecutionResult) -> str:
    said = result.stdout.strip()[:20]
    return ", ".join(word for word in (result.status, result.detail, said) if word)


@contextlib.contextmanager
def _bait() -> Iterator[Bait]:
    home = os.path.expanduser("~")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        secret = Path(folder, "secret")
        secret.write_text("a secret")
        given = launch.server_environment("")
        yield Bait(
            SECRET=str(secret),
            TARGET=str(Path(folder, "made")),
            PORT=door.getsockname()[1],
            HOME=home,
            HOME_ID=_identity(home),
            NAMES=set(os.environ) - set(given) - {"PWD"},
        )


def _identity(folder: str) -> tuple[int, int]:
    try:
        info = os.stat(folder)
    except OSError:  # a service's account may have no home: nobody can list it
        return 0, 0
    return info.st_dev, info.st_ino
