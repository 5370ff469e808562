"""Honest verdicts beside hostile programs: all right, at most half as fast, the host as before.

    python benchmarks/storm.py [--hostile 2000] [--honest 2000] [--mechanism sandlock]

Hostile programs of many kinds and honest ones, mixed at random, go through one `VerifierPool` of
two workers. The same honest programs go through another alone, before and after. The honest ones
are the reference programs of HumanEval, MBPP and LeetCode where SRPO_DATA names their folder, else
solutions of nano's tasks.

What is compared is a program's time from the start of its run. By the clock on the wall honest
verdicts come slower than that says: a sleeper holds one of the two workers for its whole time
limit, as it may. Both are printed. Exit code 1 when a verdict is wrong or an honest one an error.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
import code_sets

import srpo
from sandbox import adversarial as table
from sandbox import adversarial_forgeries as forgeries
from srpo.domains import find_domain
from srpo.nano.code_tasks import code_task
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome, Problem, Verdict
from srpo.verifiers.pool import VerifierPool

WORKERS = 2
STATUSES = ("timeout", "memory", "output", "killed", "stopped")
INPUT = "7\n" * 100_000  # more than a pipe holds, for those that never read it

# Kinds from the tests' tables, by group.
CHOSEN: dict[str, tuple[str, ...]] = {
    "memory": (
        "growing list", "growing dict", "many maps", "recursion", "recursion without a limit",
        "regular expression", "threads' stacks", "giant number", "deep source",
    ),
    "disk": (
        "big file", "allocated", "many files", "removed but open", "without a name", "deep folders",
        "folders too deep to name", "in a folder that cannot be listed", "grows standard input",
    ),
    "floods": (
        "standard output", "standard error", "by threads", "large messages", "a giant length",
        "nested message", "all closed",
    ),
    "hangs": (
        "loop", "sleep", "stop itself", "block all signals", "ignore all signals",
        "storm of alarms", "hundreds of threads", "threads that compute in C", "at exit",
        "main thread leaves", "exception that never prints", "crash", "abort", "kill itself",
    ),
    "processes": ("fork bomb", "daemon", "subprocess", "clone as a sibling", "exec from memory"),
    "signals": ("kill the parent", "stop the parent", "everybody", "owner of a socket", "pidfd"),
    "sockets": ("TCP", "unix stream", "abstract", "io_uring"),
    "reads": ("a file", "a symbolic link", "own maps", "the parent's memory"),
    "writes": ("move out", "replace the scratch directory", "SysV shared memory", "the library"),
    "kernel": ("undo seccomp", "a kinder Landlock", "userfaultfd", "memory limit"),
    "forgeries": (
        "leaves at the call", "sys.exit at import", "equal to all", "patched harness",
        "hunts in frames", "forged values", "forged end", "forged outcome on every descriptor",
        "names of what tests use", "raises SystemExit",
    ),
}  # fmt: skip

_C = "import ctypes, os, time\nc = ctypes.CDLL(None, use_errno=True)\n"
# More of what the walls hold; each bounded, should they not.
MORE: dict[str, str] = {
    "6,000 threads": (
        "import threading, _thread, time\nthreading.stack_size(1 << 15)\n"
        "l = _thread.allocate_lock(); l.acquire()\n"
        "for _ in range(6000): _thread.start_new_thread(l.acquire, ())"
    ),
    "64 threads that spin": (
        "import threading\nthreading.stack_size(1 << 16)\ndef f():\n    while True: pass\n"
        "for _ in range(63): threading.Thread(target=f).start()\nf()"
    ),
    "threads that come and go": (
        "import threading\nwhile True:\n    t = threading.Thread(target=int); t.start(); t.join()"
    ),
    "maps far apart": (
        _C + "c.mmap.restype = ctypes.c_void_p\n"
        "for i in range(1, 8000):\n"
        "    at = c.mmap(ctypes.c_void_p(i << 34), ctypes.c_size_t(4096), 3, 0x100022, -1, 0)\n"
        "    if at and at != 2**64 - 1: ctypes.memset(at, 1, 1)\ntime.sleep(9)"
    ),
    "leases on the library": (
        "import fcntl, os, signal, time\nsignal.signal(signal.SIGIO, signal.SIG_IGN)\nheld = []\n"
        "for name in os.listdir(os.path.dirname(os.__file__)):\n    try:\n"
        "        held.append(os.open(os.path.join(os.path.dirname(os.__file__), name), 0))\n"
        "        fcntl.fcntl(held[-1], 1024, fcntl.F_WRLCK)\n"
        "    except OSError: pass\ntime.sleep(9)"
    ),
    "removed but mapped": (
        "import mmap, os, time\nheld = []\nfor i in range(30):\n"
        "    fd = os.open('f', os.O_RDWR | os.O_CREAT); os.unlink('f')\n"
        "    os.posix_fallocate(fd, 0, 16 << 20); held.append(mmap.mmap(fd, 4096)); os.close(fd)\n"
        "time.sleep(9)"
    ),
    "full sockets": (
        "import socket, time\nheld = []\nwhile len(held) < 400:\n    a, b = socket.socketpair()\n"
        "    a.setblocking(False); held.append((a, b))\n"
        "    try:\n        while True: a.send(bytes(1 << 16))\n"
        "    except BlockingIOError: pass"
    ),
    "timers": _C + "t = ctypes.c_void_p()\nn = 0\n"
    "while n < 20000 and c.timer_create(1, None, ctypes.byref(t)) == 0: n += 1\ntime.sleep(9)",
    "contexts of asynchronous I/O": (
        _C + "held = [ctypes.c_ulong(0) for _ in range(99)]\n"
        "for h in held: c.syscall(206, 4000, ctypes.byref(h))\ntime.sleep(9)"
    ),
    "locks without end": (
        "import fcntl\nf = open('f', 'w')\nfor i in range(10**6):\n"
        "    fcntl.lockf(f, fcntl.LOCK_EX, 1, 2 * i)"
    ),
    "pending signals": (
        "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "while True:\n    for s in range(34, 64): os.kill(os.getpid(), s)"
    ),
    "standard input never read": "import time\ntime.sleep(99)",
    "exits in a thread": (
        "import os, threading, time\nthreading.Thread(target=os._exit, args=(0,)).start()\n"
        "time.sleep(9)"
    ),
    "closes what it was given": "import os\nos.closerange(0, 9)\nwhile True: os.pipe()",
}


@dataclass(frozen=True)
class Job:
    kind: str  # "" for an honest one
    problem: Problem
    text: str


@dataclass(frozen=True)
class Host:
    """What the machine and this process have at a moment."""

    memory_mb: float  # available
    threads: float  # of the whole machine
    files: float  # open, of the whole machine
    disk_mb: float  # free, where scratch directories are
    own_descriptors: float
    own_threads: float
    own_processes: float  # children
    scratch: float  # files and folders where sandboxes keep theirs

    # Of what is the machine's, what others on it do in the meantime.
    NOISE = {"memory_mb": 400, "threads": 60, "files": 600, "disk_mb": 600}  # noqa: RUF012

    @classmethod
    def now(cls) -> Host:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(s.split()[1]) for s in lines if s.startswith("MemAvailable"))
        folder = tempfile.gettempdir()
        tasks = Path("/proc/self/task").iterdir()
        return cls(
            memory_mb=available / 1024,
            threads=int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2]),
            files=int(Path("/proc/sys/fs/file-nr").read_text().split()[0]),
            disk_mb=shutil.disk_usage(folder).free / 2**20,
            own_descriptors=len(os.listdir("/proc/self/fd")),
            own_threads=threading.active_count(),
            own_processes=sum(len((path / "children").read_text().split()) for path in tasks),
            scratch=len(os.listdir(folder)),
        )


# The programs


def honest_jobs(count: int, rng: random.Random) -> list[Job]:
    """Reference programs, each as often as it takes, every one another text."""
    items = _public_items() if "SRPO_DATA" in os.environ else _nano_items(min(count, 500), rng)
    rng.shuffle(items)
    chosen = [items[i % len(items)] for i in range(count)]
    return [
        Job("", problem, code_sets.response(program, number))
        for number, (problem, program) in enumerate(chosen)
    ]


def _public_items() -> list[tuple[Problem, str]]:
    folder = Path(os.environ["SRPO_DATA"])
    sets = (code_sets.humaneval, code_sets.mbpp, code_sets.leetcode_calls)
    items = [item for of in sets for item in code_sets.sample(of(folder), 500)]
    return [(item.problem, item.reference) for item in items]


def _nano_items(count: int, rng: random.Random) -> list[tuple[Problem, str]]:
    items = []
    for number in range(count):
        task = code_task(rng)
        tests = {"type": "function", "entry_point": "f", "cases": task.cases()}
        problem = Problem(f"nano/{number}", "code", "", tests=tests)
        items.append((problem, task.pipeline.function()))
    return items


def hostile_jobs(count: int, rng: random.Random, bait: table.Bait) -> list[Job]:
    """Every kind as often as any other."""
    kinds = [(group, name) for group, names in CHOSEN.items() for name in names]
    kinds += [("more", name) for name in MORE]
    rng.shuffle(kinds)
    return [_hostile(*kinds[i % len(kinds)], i, rng, bait) for i in range(count)]


def _hostile(group: str, name: str, number: int, rng: random.Random, bait: table.Bait) -> Job:
    k = 10**24 + rng.randrange(10**24)  # an answer that no program knows
    if group == "forgeries":
        on, code = forgeries.FORGERIES[name]
        how = rng.choice(on.split())
        tests, _ = forgeries.problems(k)[how]
        code += "\nprint(f(int(input())))\n" if how == "stdin" else ""
    elif group in table.ESCAPES:  # here the way out is the answer
        code = table.escape(table.ESCAPES[group][name], bait)
        tests = {"type": "stdin", "cases": [{"input": INPUT, "output": table.ESCAPED}]}
    else:
        code = MORE[name] if group == "more" else table.GREEDY[group][name][1]
        tests = _tests(rng.choice(("stdin", "function", "asserts")), k)
    problem = Problem(f"{group}/{name}/{number}", "code", "", tests=tests)
    return Job(f"{group}: {name}", problem, code_sets.response(code, number))


def _tests(how: str, k: int) -> dict[str, object]:
    if how == "stdin":
        return {"type": "stdin", "cases": [{"input": INPUT, "output": str(k)}]}
    if how == "asserts":
        return {"type": "asserts", "asserts": [f"assert f(7) == {k}"]}
    return {"type": "function", "entry_point": "f", "cases": [{"args": [7], "expected": k}]}


@contextmanager
def laid() -> Iterator[table.Bait]:
    """What lies outside for programs to reach."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        home = Path(folder)
        (home / "secret").write_text("a secret")
        (home / "other").mkdir()
        yield table.Bait(
            SECRET=str(home / "secret"),
            FOLDER=folder,
            MADE=str(home / "made"),
            PORT=door.getsockname()[1],
            UDP=9,
            SOCKET=str(home / "socket"),
            ABSTRACT="\0srpo-storm",
            OTHER=str(home / "other"),
            PACKAGE=str(Path(srpo.__file__).parent),
        )
        if sorted(p.name for p in home.iterdir()) != ["other", "secret"]:
            raise SystemExit(f"something was made outside: {list(home.iterdir())}")


# The runs


@dataclass(frozen=True)
class Run:
    verdicts: list[Verdict]
    wall_s: float


def run(jobs: list[Job], mechanism: str, time_s: float, loud: bool = False) -> Run:
    config = {"sandbox": mechanism, "workers": WORKERS, "time_limit_s": time_s}
    with VerifierPool(VerifierConfig.model_validate(config), [find_domain("code")]) as pool:
        _warm(pool)
        start = time.perf_counter()
        futures = [pool.submit(job.problem, job.text) for job in jobs]
        verdicts = []
        for number, future in enumerate(futures, 1):
            verdicts.append(future.result())
            if loud and number % (len(jobs) // 10 or 1) == 0:
                wrong = sum(map(is_wrong, jobs, verdicts))
                seconds = time.perf_counter() - start
                print(f"  {number} of {len(jobs)}, {seconds:.0f} s, {wrong} wrong", flush=True)
        return Run(verdicts, time.perf_counter() - start)


def _warm(pool: VerifierPool) -> None:
    """The first programs of a pool pay for its servers: not these."""
    problem = Problem("warm", "code", "", tests=_tests("asserts", 7))
    slow = "import time\ntime.sleep(0.5)\nf = int"  # so that each takes a server
    futures = [pool.submit(problem, code_sets.response(slow, n)) for n in range(WORKERS)]
    for future in futures:
        future.result()


def passing(jobs: list[Job], mechanism: str, time_s: float) -> list[Job]:
    """Some references are wrong, want packages, or take as long as they may: without these."""
    verdicts = run(jobs, mechanism, time_s).verdicts
    keep = [v.outcome is Outcome.CORRECT and v.seconds < time_s / 2 for v in verdicts]
    left_out = {job.problem.id for job, kept in zip(jobs, keep, strict=True) if not kept}
    if left_out:
        print(f"left out, since they fail or are slow alone: {', '.join(sorted(left_out))}")
    return [job for job, kept in zip(jobs, keep, strict=True) if kept]


def is_wrong(job: Job, verdict: Verdict) -> bool:
    right = verdict.outcome is Outcome.CORRECT
    return right if job.kind else not right


def status(verdict: Verdict) -> str:
    if verdict.outcome is not Outcome.INCORRECT:
        return str(verdict.outcome)
    word = verdict.detail.removeprefix("case 0: ").partition(":")[0]
    return word if word in STATUSES else "exception or wrong answer"


@contextmanager
def watched(worst: dict[str, float]) -> Iterator[None]:
    """The most of each that was taken at any moment, looked at four times a second."""
    over, before = threading.Event(), Host.now()

    def watch() -> None:
        while not over.wait(0.25):
            now = Host.now()
            for name in Host.NOISE:
                taken = abs_taken(name, before, now)
                worst[name] = max(worst.get(name, 0), taken)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def abs_taken(name: str, before: Host, after: Host) -> float:
    """How much more is in use than before."""
    more = getattr(after, name) - getattr(before, name)
    return -more if name in ("memory_mb", "disk_mb") else more


# The report


def print_kinds(jobs: list[Job], found: Run) -> None:
    seen: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()
    for job, verdict in zip(jobs, found.verdicts, strict=True):
        if job.kind:
            seen.setdefault(job.kind, Counter())[status(verdict)] += 1
            seconds[job.kind] += verdict.seconds  # type: ignore
    print(f"\n{'kind of hostile program':48} {'count':>5} {'mean s':>7}  ended by")
    for kind, counts in sorted(seen.items()):
        ends = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        print(f"{kind:48} {counts.total():5} {seconds[kind] / counts.total():7.2f}  {ends}")


def print_speed(jobs: list[Job], alone: list[Run], storm: Run) -> None:
    own = [v.seconds for j, v in zip(jobs, storm.verdicts, strict=True) if not j.kind]
    others = [v.seconds for j, v in zip(jobs, storm.verdicts, strict=True) if j.kind]
    calm = [v.seconds for one in alone for v in one.verdicts]
    calm_wall = statistics.mean(one.wall_s for one in alone)
    count = len(own)
    print("\nhonest programs, ms from the start of a run:")
    print(f"{'':22} {'median':>8} {'mean':>8} {'p95':>8} {'most':>8}")
    for name, them in (("alone", calm), ("beside hostile ones", own)):
        p95 = statistics.quantiles(them, n=20)[-1]
        row = [statistics.median(them), statistics.mean(them), p95, max(them)]
        print(f"{name:22} " + " ".join(f"{1e3 * x:8.1f}" for x in row))
    slower = statistics.mean(own) / statistics.mean(calm)
    print(f"slower by that: {slower:.2f} x in the mean,"
          f" {statistics.median(own) / statistics.median(calm):.2f} x in the median")  # fmt: skip
    print(f"honest verdicts a second of a worker's time: {len(calm) / sum(calm):.1f} alone,"
          f" {count / sum(own):.1f} beside hostile ones")  # fmt: skip
    print(f"by the clock on the wall: {count / calm_wall:.1f} a second alone,"
          f" {count / storm.wall_s:.1f} beside; hostile ones held the workers for"
          f" {sum(others):.0f} of {WORKERS * storm.wall_s:.0f} worker seconds")  # fmt: skip


def print_host(before: Host, after: Host, worst: dict[str, float]) -> None:
    print(f"\n{'the host':18} {'before':>10} {'after':>10} {'taken':>8} {'most taken':>11}")
    for one in fields(Host):
        name = one.name
        taken = abs_taken(name, before, after)
        mark = "  more than noise, or others' work" if taken > Host.NOISE.get(name, 0) else ""
        most = f"{worst[name]:11.0f}" if name in worst else " " * 11
        row = f"{getattr(before, name):10.0f} {getattr(after, name):10.0f} {taken:8.0f}"
        print(f"{name:18} {row} {most}{mark}")


def main(
    hostile: Annotated[int, typer.Option(help="Hostile programs.")] = 2000,
    honest: Annotated[int, typer.Option(help="Honest programs.")] = 2000,
    mechanism: Annotated[str, typer.Option(help="sandlock or bubblewrap.")] = "sandlock",
    seed: Annotated[int, typer.Option(help="Of what is drawn and how it is mixed.")] = 0,
    time_limit: Annotated[float, typer.Option(help="Seconds for a program.")] = 2.0,
    out: Annotated[Path | None, typer.Option(help="Where every verdict goes, as JSON.")] = None,
) -> None:
    with tempfile.TemporaryDirectory() as own:
        tempfile.tempdir = own  # of this run alone: what is left there is seen
        before, worst, rng = Host.now(), {}, random.Random(seed)
        drawn = passing(honest_jobs(honest, rng), mechanism, time_limit)
        alone = [run(drawn, mechanism, time_limit)]
        with laid() as bait:
            mixed = [*drawn, *hostile_jobs(hostile, rng, bait)]
            rng.shuffle(mixed)
            kinds = len({job.kind for job in mixed if job.kind})
            print(f"{hostile} hostile programs of {kinds} kinds, {len(drawn)} honest ones;"
                  f" {mechanism}, {WORKERS} workers, {time_limit:g} s each")  # fmt: skip
            with watched(worst):
                storm = run(mixed, mechanism, time_limit, loud=True)
        alone.append(run(drawn, mechanism, time_limit))
        time.sleep(1)  # for what the system does later
        after = Host.now()
    found = list(zip(mixed, storm.verdicts, strict=True))
    if out is not None:
        rows = [[j.kind, j.problem.id, v.outcome, v.seconds, v.detail] for j, v in found]
        out.write_text("\n".join(map(json.dumps, rows)))
    print_kinds(mixed, storm)
    print_speed(mixed, alone, storm)
    print_host(before, after, worst)
    wrong = [(j, v) for j, v in found if is_wrong(j, v)]
    errors = Counter(bool(j.kind) for j, v in found if v.outcome is Outcome.ERROR)
    print(f"\nwrong verdicts: {len(wrong)}; errors on honest programs: {errors[False]},"
          f" on hostile ones: {errors[True]}")  # fmt: skip
    for job, verdict in wrong:
        print(f"  {job.kind or 'honest'}, {job.problem.id}: {verdict.outcome}: {verdict.detail}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    typer.run(main)
