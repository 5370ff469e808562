"""What a program takes and leaves, measured from outside while it runs: threads, descriptors,
tables of pages, the disk, what the machine has one of; and how its neighbours fare."""

# ruff: noqa: E501 (the programs read worse when they are wrapped)
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox.adversarial_bounds import GREEDY
from sandbox.test_adversarial import TRIES, processes_of, scratch_of
from srpo.sandbox.base import ExecutionResult, Limits, Program
from srpo.sandbox.launch import SCRATCH_BYTES
from srpo.sandbox.warm import WarmSandbox
from walls import REAL, opened

SMALL = Limits(time_s=0.8, memory_mb=128, output_bytes=100_000, scratch_mb=4)
HONEST = Program(
    "import threading\nt = threading.Thread(target=print, args=(1,)); t.start(); t.join()"
)
PATIENT = Limits(time_s=20.0)
WAIT = "\nimport time; time.sleep(0.25)"
ON_DISK = 256 << 20  # what may be written between two looks where files are only counted


@pytest.fixture(scope="module", params=REAL)
def mechanism(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def box(mechanism: str) -> Iterator[WarmSandbox]:
    with opened(mechanism, 1) as one:
        one.run(HONEST, PATIENT)
        yield one


def program_of(server: int) -> int | None:
    """The process of the program that a server runs now."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return int(children[0]) if children else None


def watched(
    box: WarmSandbox, code: str, look: Callable[[int, int], Any], limits: Limits = SMALL
) -> tuple[ExecutionResult, list[Any]]:
    """Run it; what `look(server, program)` saw meanwhile. On a busy machine it may look too late:
    then once more."""
    for left in reversed(range(TRIES)):
        box.run(HONEST, PATIENT)
        (server,) = box.pids()
        with ThreadPoolExecutor(1) as pool:
            running, seen = pool.submit(box.run, Program(code), limits), []
            while not running.done():
                with suppress(OSError, KeyError):
                    if (program := program_of(server)) is not None:
                        seen.append(look(server, program))
                time.sleep(0.002)
        assert box.run(HONEST, PATIENT).stdout == "1\n"
        if seen or not left:
            return running.result(), seen
    raise AssertionError("it has been tried")


def status_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines)}


THREADS = {
    # mov r12d, 8000; again: mov eax, 56; mov edi, 0x3d0f00; mov rsi, top; mov rdx, top; mov r10, top;
    # mov r8, top; syscall; test eax, eax; js out; jz child; dec r12d; jnz again; out: ...
    "on one stack": """
import ctypes, mmap, os, struct
if os.uname().machine != "x86_64": raise SystemExit
page, stack = mmap.mmap(-1, 4096, 34, 7), mmap.mmap(-1, 1 << 14, 34)
at = lambda m: ctypes.addressof(ctypes.c_char.from_buffer(m))
top = struct.pack("<Q", at(stack) + (1 << 13))
code = bytes.fromhex("415441bc401f0000")
again = len(code)
code += bytes.fromhex("b838000000bf000f3d0048be") + top + bytes.fromhex("48ba") + top
code += bytes.fromhex("49ba") + top + bytes.fromhex("49b8") + top + bytes.fromhex("0f0585c0")
tail = bytearray.fromhex("780a 740c 41ffcc 0f8500000000 415cc3".replace(" ", ""))
tail[1], tail[3] = 11, 12
struct.pack_into("<i", tail, 9, again - len(code) - 13)
page.write(code + bytes(tail[:13]) + bytes.fromhex("415cc3") + bytes.fromhex("b8220000000f05ebf7"))
ctypes.CFUNCTYPE(ctypes.c_int)(at(page))()
""",
    "in pure Python": """
import _thread, threading
threading.stack_size(1 << 15)
lock = _thread.allocate_lock(); lock.acquire()
try:
    while True: _thread.start_new_thread(lock.acquire, ())
except RuntimeError: pass
""",
    "after a storm of ends and signals": """
import _thread, ctypes, os, signal, threading, time
c, t = ctypes.CDLL(None), ctypes.c_ulong()
threading.stack_size(1 << 15)
signal.signal(14, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
end = time.monotonic() + 0.2
while time.monotonic() < end:
    if c.pthread_create(ctypes.byref(t), None, c.sched_yield, None) == 0: c.pthread_detach(t)
signal.setitimer(signal.ITIMER_REAL, 0)
lock = _thread.allocate_lock(); lock.acquire()
try:
    while True: _thread.start_new_thread(lock.acquire, ())
except RuntimeError: pass
""",
}


@pytest.mark.parametrize("name", THREADS)
def test_threads(box: WarmSandbox, name: str) -> None:
    def look(_: int, program: int) -> int:
        return len(os.listdir(f"/proc/{program}/task"))

    result, seen = watched(box, THREADS[name] + WAIT, look)
    assert result.status in ("ok", "timeout"), result
    assert 1 < max(seen) <= 64 + 1  # one may be ending that is counted no more


def test_an_honest_thread_beside_a_hoard(mechanism: str) -> None:
    with opened(mechanism, 2) as two, ThreadPoolExecutor(1) as pool:
        two.run(HONEST, PATIENT)
        hoard = pool.submit(two.run, Program(THREADS["in pure Python"] + WAIT), SMALL)
        results = [two.run(HONEST, Limits()) for _ in range(5)]
        assert [(r.status, r.stdout) for r in results] == [("ok", "1\n")] * 5
        assert hoard.result().status in ("ok", "timeout")


def test_descriptors(box: WarmSandbox) -> None:
    """However many ways there are to get them, with all of them full."""
    code = (
        "import os, select, socket\nheld = []\n"
        "for make in (socket.socketpair, os.pipe, select.epoll, lambda: os.dup(1),"
        " lambda: open('f', 'w')):\n"
        "    for _ in range(9):\n        try: held.append(make())\n        except OSError: break\n"
        "for a in (x for pair in held if type(pair) is tuple for x in pair):\n"
        "    try:\n        if type(a) is int: os.set_blocking(a, False)\n"
        "        else: a.setblocking(False)\n"
        "        while True: os.write(a if type(a) is int else a.fileno(), bytes(4096))\n"
        "    except OSError: pass"
    )

    def look(_: int, program: int) -> int:
        tables = Path(f"/proc/{program}/task").glob("*/fd")
        return len({os.stat(fd).st_ino for table in tables for fd in table.iterdir()})

    result, seen = watched(box, code + WAIT, look)
    assert result.status == "ok", result
    assert max(seen) <= 32


PAGES = {
    "scattered": GREEDY["tables"]["a page here and a page there"][1],
    "many maps": GREEDY["tables"]["as many maps as may be"][1],
    "far apart in one map": (
        "import mmap\nm = mmap.mmap(-1, 64 << 20, 34)\nfor at in range(0, 64 << 20, 1 << 21): m[at]"
    ),
    "hints": (
        "import ctypes\nc = ctypes.CDLL(None); c.mmap.restype = ctypes.c_long\n"
        "c.mmap.argtypes = [ctypes.c_long] * 6\nhere = ctypes.cast(c.getpid, ctypes.c_void_p).value\n"
        "for step in range(6000):\n"
        "    for base in (here >> 32 << 32, 0):\n"
        "        at = c.mmap(base + (step << 21), 4096, 1, 0x22, -1, 0)\n"
        "        if at > 0: ctypes.c_char.from_address(at).value"
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_tables_of_pages(box: WarmSandbox, name: str) -> None:
    """The kernel's own memory for a program's addresses is less than the program may have."""

    def look(_: int, program: int) -> tuple[int, int]:
        status = status_of(program)
        return int(status["VmPTE"].split()[0]), int(status["VmRSS"].split()[0])

    _, seen = watched(box, PAGES[name] + WAIT, look)
    tables, pages = (max(column) for column in zip(*seen, strict=True))
    assert tables <= SMALL.memory_mb << 10
    assert pages <= SMALL.memory_mb << 10


def test_pending_signals(box: WarmSandbox) -> None:
    def look(_: int, program: int) -> int:
        status = status_of(program)
        return sum(int(status[name], 16).bit_count() for name in ("SigPnd", "ShdPnd"))

    _, seen = watched(box, GREEDY["signals in number"]["pending without end"][1], look)
    assert max(seen) <= 64


DISK = {
    "removed, one page mapped": GREEDY["files"]["allocated, removed, one page mapped"][1],
    "written by a map": GREEDY["files"]["written by a map"][1],
    "by many threads": (
        "import os, threading\nthreading.stack_size(1 << 16)\nb = bytes(1 << 20)\ndef f(k):\n"
        "    for i in range(99): open(f'f{k}_{i}', 'wb', 0).write(b)\n"
        "for k in range(20): threading.Thread(target=f, args=(k,)).start()\nf('x')"
    ),
    "opened, removed, written": (
        "import os, time\nheld = []\nfor i in range(25):\n    fd = os.open(f'f{i}', 66)\n"
        "    os.unlink(f'f{i}'); os.write(fd, bytes(1 << 20)); held.append(fd)\ntime.sleep(9)"
    ),
}


@pytest.mark.parametrize("name", DISK)
def test_disk(box: WarmSandbox, name: str) -> None:
    """Files that are only counted are counted late on a busy machine, and once; where there is no
    limit they are always too many."""
    own = box.bounds["disk"] == "a file system of its own"
    most = SCRATCH_BYTES if own else ON_DISK
    taken = [taken_on_disk(box, DISK[name], own)]
    while not own and taken[-1] > most and len(taken) < TRIES:
        taken.append(taken_on_disk(box, DISK[name], own))
    assert min(taken) <= most, taken


def taken_on_disk(box: WarmSandbox, code: str, own: bool) -> int:
    """The most bytes seen while it ran: in its own file system, or gone from the host's."""
    box.run(HONEST, PATIENT)
    disk = Path(scratch_of(box)).parent
    before = os.statvfs(disk).f_bfree

    def look(server: int, _: int) -> int:
        there = os.statvfs(f"/proc/{server}/cwd/." if own else disk)
        return ((there.f_blocks if own else before) - there.f_bfree) * there.f_frsize

    result, seen = watched(box, code, look)
    assert result.status in ("output", "exception"), result
    return max(seen, default=0)


def test_the_hosts_folder_stays_beneath(box: WarmSandbox) -> None:
    """Where the scratch directory is a file system of its own, nothing of it is on the disk."""
    if box.bounds["disk"] != "a file system of its own":
        pytest.skip("it is the host's own here")
    code = (
        "import ctypes, os\nc = ctypes.CDLL(None)\nfor n in (b'.', os.getcwd().encode()):\n"
        "    for flag in (0, 1, 2, 8): c.umount2(n, flag)\nopen('f', 'w').close()"
    )

    def look(server: int, _: int) -> list[str]:
        (scratch,) = (one.scratch for one in box._programs._all if one.pid == server)
        return os.listdir(scratch)

    _, seen = watched(box, code + WAIT, look)
    assert [names for names in seen if names] == []


def test_a_program_has_no_powers(box: WarmSandbox) -> None:
    def look(_: int, program: int) -> dict[str, str]:
        return status_of(program)

    _, seen = watched(box, WAIT, look)
    last = seen[-1]
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(last[name], 16) == 0
    assert last["NoNewPrivs"] == "1"
    assert last["Seccomp"] == "2"


def test_what_the_machine_has_one_of(box: WarmSandbox) -> None:
    """Requests for input and output, timers, watches, leases: none is taken."""
    code = """
import ctypes, fcntl, os
c = ctypes.CDLL(None, use_errno=True)
one = os.uname().machine == "aarch64"
taken = []
for size in (1, 128, 8000):
    if c.syscall((206, 0)[one], size, ctypes.byref(ctypes.c_ulong())) >= 0: taken.append("aio")
for _ in range(9):
    if c.timer_create(1, None, ctypes.byref(ctypes.c_void_p())) >= 0: taken.append("timer")
    if c.inotify_init1(0) >= 0: taken.append("inotify")
library = os.path.dirname(os.__file__)
for name in [n for n in os.listdir(library) if n.endswith(".py")][:40]:
    fd = os.open(os.path.join(library, name), os.O_RDONLY)
    for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK):
        try: fcntl.fcntl(fd, 1024, kind); taken.append("lease")
        except OSError: pass
    os.close(fd)
print(taken)
"""
    counter = Path("/proc/sys/fs/aio-nr")
    before = counter.read_text()
    result, seen = watched(box, code + WAIT, lambda *_: counter.read_text())
    assert result.stdout == "[]\n", result
    assert set(seen) <= {before}


def test_a_library_that_is_asked_for_a_lease_opens_at_once(mechanism: str) -> None:
    """By the host, and by a program beside it."""
    code = (
        "import fcntl, os\nlib = os.path.dirname(os.__file__)\n"
        "for n in ('csv.py', 'calendar.py', 'hashlib.py'):\n    fd = os.open(f'{lib}/{n}', 0)\n"
        "    for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):\n"
        "        try: fcntl.fcntl(fd, 1024, kind)\n        except OSError: pass\n"
        "    fcntl.flock(fd, 6)\n"
    )
    with opened(mechanism, 2) as two, ThreadPoolExecutor(1) as pool:
        two.run(HONEST, PATIENT)
        running = pool.submit(two.run, Program(code + WAIT), SMALL)
        time.sleep(0.1)
        start = time.monotonic()
        with open(f"{os.path.dirname(os.__file__)}/csv.py", "rb") as library:
            library.read(1)
        assert time.monotonic() - start < 5  # a lease is broken after 45 s
        beside = two.run(Program("import calendar, csv, hashlib\nprint(1)"), PATIENT)
        assert beside.stdout == "1\n", beside
        assert running.result().status == "ok", running.result()


def test_nothing_of_files_but_names_and_sizes(box: WarmSandbox, tmp_path: Path) -> None:
    secret, link = tmp_path / "secret", tmp_path / "link"
    secret.write_text("x")
    try:
        os.setxattr(secret, "user.note", b"secret")
    except OSError:
        pytest.skip("this file system has no attributes")
    link.symlink_to("/secret/target")
    code = f"""
import fcntl, os
got = []
def attempt(what):
    try: got.append(what())
    except OSError: pass
attempt(lambda: os.getxattr({str(secret)!r}, "user.note"))
attempt(lambda: os.listxattr({str(secret)!r}))
attempt(lambda: os.readlink({str(link)!r}))
library = os.open(os.__file__, os.O_RDONLY)
for request in (0x80087601, 0x80086601, 0xC020660B, 0x81009431, 0x8010662C, 0x40806685, 0x6609):
    attempt(lambda: fcntl.ioctl(library, request if request < 1 << 31 else request - (1 << 32), bytes(256)))
attempt(lambda: os.statvfs("/root"))
attempt(lambda: os.getsid(1))
attempt(lambda: os.getpriority(os.PRIO_PROCESS, 1))
print(got)
"""
    assert box.run(Program(code), SMALL).stdout == "[]\n"


STATE = """
import os, resource, signal, sys
state = [os.getcwd(), os.listdir("."), sorted(os.environ.items())]
mask = os.umask(0); os.umask(mask); state.append(mask)
state.append([resource.getrlimit(getattr(resource, n)) for n in sorted(dir(resource)) if n.startswith("RLIMIT_")])
state.append([str(signal.getsignal(s)) for s in sorted(signal.valid_signals())])
state.append(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
state.append([signal.getitimer(w) for w in (0, 1, 2)])
held = []
for fd in range(40):
    try: held.append((fd, os.fstat(fd).st_mode, os.get_blocking(fd) if fd != 2 else 0))
    except OSError: pass
state.append(held)
state.append((sys.flags, sys.path, sorted(sys.modules), sys.getrecursionlimit(), sys.stdin.read()))
print(state)
"""
SPOILS = """
import builtins, json, os, random, resource, signal, sys, threading
os.umask(0o777); os.mkdir("d"); os.chdir("d"); os.environ["PYTHONPATH"] = "/x"; sys.path.insert(0, "/x")
for name in ("NOFILE", "AS", "CPU", "STACK", "FSIZE", "DATA", "NPROC"):
    which = getattr(resource, "RLIMIT_" + name)
    soft, hard = resource.getrlimit(which)
    try: resource.setrlimit(which, (soft // 2, soft // 2) if soft > 0 else (1 << 30, 1 << 30))
    except (ValueError, OSError): pass
for s in signal.valid_signals() - {9, 19}:
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
signal.setitimer(signal.ITIMER_REAL, 0.3, 0.1)
for fd in (0, 1, 3, 4): os.set_blocking(fd, False)
os.lseek(0, 1, 0); sys.setrecursionlimit(50000); json.dumps = None; builtins.print = None
random.seed(9)
"""


def test_the_next_program_finds_all_as_it_was(box: WarmSandbox) -> None:
    def state() -> str:
        result = box.run(Program(STATE, stdin="one\ntwo\n"), PATIENT)
        assert result.status == "ok", result
        box.run(HONEST, PATIENT)
        folder = re.escape(os.path.dirname(scratch_of(box)))
        return re.sub(folder + r"/\w+", "HERE", result.stdout)  # a server may be another

    box.run(HONEST, PATIENT)
    before = state()
    box.run(Program(SPOILS, stdin="three\n"), SMALL)
    assert state() == before


HOSTILE = {
    "threads": GREEDY["threads"]["that begin again and again"][1],
    "ends": GREEDY["threads"]["that end as fast as they begin"][1],
    "alarms": GREEDY["threads"]["under a storm of alarms"][1],
    "bytes": GREEDY["pipes"]["bytes one at a time"][1],
    "names": GREEDY["files"]["many names that are not there"][1],
    "tables": GREEDY["tables"]["a page here and a page there"][1],
    "files": GREEDY["files"]["behind a name that cannot be read"][1],
    "death": "import os\nos.kill(0, 9)",
}


def test_honest_programs_beside_hostile_ones(mechanism: str) -> None:
    """Their verdicts are what they are alone, and no server of theirs is lost."""
    work, brief = Program("print(sum(range(10**6)))"), Limits(time_s=0.3, memory_mb=128)
    with opened(mechanism, 2) as two, ThreadPoolExecutor(1) as pool:
        two.run(work, PATIENT)
        attacks = pool.submit(lambda: [two.run(Program(c), brief) for c in HOSTILE.values()])
        results = []
        while not attacks.done():
            results.append(two.run(work, PATIENT))
        assert len(attacks.result()) == len(HOSTILE)
    assert {(r.status, r.stdout) for r in results} == {("ok", "499999500000\n")}


MOMENTS = {
    "at once": "import os; os._exit(0)",
    "by a signal, at once": "import os; os.kill(0, 9)",
    "with all closed": "import os; os.closerange(0, 64); os._exit(3)",
    "by a limit": "import resource as r; r.setrlimit(r.RLIMIT_AS, (1, 1)); x = bytes(1 << 24)",
    "by time": "import resource as r; r.setrlimit(r.RLIMIT_CPU, (0, 0))\nwhile True: pass",
    "by too long a file": "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (0, 0)); open('f', 'wb', 0).write(b'x')",
    "by a bad call": "import ctypes; ctypes.CDLL(None).syscall(0x40000000)",
    "half a message": "import os; os.write(3, b'\\0\\0'); os.kill(0, 9)",
    "no descriptors": "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (0, 0)); open('f')",
    "as it does not compile": "(" * 150,
    "as it is no text": "\ud800",
    "as it is all zeros": "\0",
    "long": "#" + "x" * 200_000,
    "with its standard error closed": "import os; os.close(2); 1 / 0",
}


def test_no_end_is_a_failure_of_ours(box: WarmSandbox) -> None:
    """Whenever and however a program ends, `run` says so, and its server or another goes on. The
    host keeps no descriptor, thread or process of it."""
    box.run(HONEST, PATIENT)
    held, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for name, code in MOMENTS.items():
        for program in (Program(code), Program(code, "f")):
            result = box.run(program, SMALL)
            assert result.status in ("ok", "exception", "killed", "memory", "timeout"), (
                name,
                result,
            )
    for _ in range(3):
        box.run(Program("import os\nos.mkdir('d')"), SMALL)  # a new server each
        assert box.run(HONEST, PATIENT).stdout == "1\n"
    assert len(os.listdir("/proc/self/fd")) <= held
    assert threading.active_count() <= threads
    assert len(box.pids()) == 1


def test_a_flood_of_small_pieces_leaves_the_host_its_time(box: WarmSandbox) -> None:
    start, used = time.monotonic(), time.process_time()
    box.run(Program(GREEDY["pipes"]["bytes one at a time"][1]), Limits(time_s=0.8))
    assert time.process_time() - used < 0.9 * (time.monotonic() - start)


PHASES = {"waits": 0.0, "runs": 0.2, "ends": 0.002}
HOST = """
import sys, tempfile, threading, time
sys.path[:0] = {path!r}
tempfile.tempdir = sys.argv[1]
from srpo.sandbox.base import Limits, Program
from walls import opened
box = opened({mechanism!r}, 1)
print("opened", flush=True)
box.run(Program(""), Limits())
print("started", flush=True)
if sys.argv[2] == "ends": threading.Thread(target=box.close).start()
code = "import os, time\\nos.umask(0o077); os.mkdir('d')\\nopen('d/f', 'wb').write(bytes(9999))\\ntime.sleep(9)"
if sys.argv[2] == "runs": threading.Thread(target=box.run, args=(Program(code), Limits(time_s=9))).start()
time.sleep(9)
"""


def test_a_host_that_is_killed_leaves_nothing(mechanism: str, tmp_path: Path) -> None:
    """Whatever it is at: three hosts, each killed at something else."""
    code = HOST.format(path=[path for path in sys.path if path], mechanism=mechanism)
    with tempfile.TemporaryDirectory(prefix="srpo-bounds-") as folder:
        hosts = {
            phase: subprocess.Popen(
                [sys.executable, "-c", code, folder, phase], stdout=subprocess.PIPE, cwd=tmp_path
            )
            for phase in PHASES
        }
        for phase, host in hosts.items():
            try:
                assert host.stdout is not None
                assert [host.stdout.readline() for _ in range(2)] == [b"opened\n", b"started\n"]
                time.sleep(PHASES[phase])
            finally:
                host.send_signal(signal.SIGKILL)
                host.communicate()
        end = time.monotonic() + 10
        while (left := os.listdir(folder) + processes_of(Path(folder))) and time.monotonic() < end:
            time.sleep(0.05)
        assert left == []
