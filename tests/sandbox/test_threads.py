"""Threads are counted from outside: so many at a time, as many as one likes one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from srpo.sandbox.base import Limits, Program
from srpo.sandbox.inside.threads import MAX_THREADS
from srpo.sandbox.warm import WarmSandbox
from walls import REAL, opened

LIMITS = Limits(time_s=20.0, memory_mb=1024)
START = "import threading, time\nthreading.stack_size(1 << 16)\nstop = threading.Event()\n"
AT_ONCE = START + (
    "def crowd():\n"
    "    threads = []\n"
    "    try:\n"
    "        while len(threads) < 300:\n"
    "            threads.append(threading.Thread(target=stop.wait))\n"
    "            threads[-1].start()\n"
    "    except RuntimeError as error:\n"
    '        assert "can\'t start new thread" in str(error)\n'
    "        threads.pop()\n"
    "    stop.set()\n"
    "    for thread in threads: thread.join()\n"
    "    return len(threads)\n"
)


@pytest.fixture(scope="module", params=REAL)
def sandbox(request: pytest.FixtureRequest) -> Iterator[WarmSandbox]:
    with opened(request.param, 1) as box:
        yield box


def printed(sandbox: WarmSandbox, code: str) -> str:
    result = sandbox.run(Program(code), LIMITS)
    assert result.status == "ok", result
    return result.stdout


def test_so_many_at_a_time(sandbox: WarmSandbox) -> None:
    assert printed(sandbox, AT_ONCE + "print(crowd())") == f"{MAX_THREADS - 1}\n"


def test_those_that_have_ended_make_room(sandbox: WarmSandbox) -> None:
    """They end a moment after `join`, which waits for their Python part alone."""
    again = "made = crowd(); time.sleep(0.2); stop.clear(); print(made == crowd())"
    assert printed(sandbox, AT_ONCE + again) == "True\n"


def test_many_one_after_the_other(sandbox: WarmSandbox) -> None:
    code = START + (
        "done = []\n"
        "for i in range(300):\n"
        "    thread = threading.Thread(target=done.append, args=(i,))\n"
        "    thread.start(); thread.join()\n"
        "print(done == list(range(300)))"
    )
    assert printed(sandbox, code) == "True\n"


def test_the_next_program_begins_anew(sandbox: WarmSandbox) -> None:
    left = START + "for _ in range(50): threading.Thread(target=stop.wait, daemon=True).start()"
    for _ in range(3):
        printed(sandbox, left)
    assert printed(sandbox, AT_ONCE + "print(crowd())") == f"{MAX_THREADS - 1}\n"


def test_a_crowd_gives_way(sandbox: WarmSandbox) -> None:
    """More than a few threads have the lowest priority, so that they weigh about as much as one."""
    code = START + (
        "threads = [threading.Thread(target=stop.wait) for _ in range(10)]\n"
        "for thread in threads: thread.start()\n"
        "time.sleep(1); stop.set()"
    )
    seen: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(printed, sandbox, code)
        while len(seen) < 11 and not running.done():
            seen = nice_of_programs(sandbox) or seen
            time.sleep(0.05)
        running.result()
    assert sum(nice == 0 for nice in seen) == 3  # all but the first one, which began the others
    assert sum(nice == 19 for nice in seen) == 8


def nice_of_programs(sandbox: WarmSandbox) -> list[int]:
    """Of each thread of the servers' children."""
    stats = [p.read_text() for p in Path("/proc").glob("[0-9]*/stat") if p.exists()]
    split = [stat.rpartition(")")[2].split() for stat in stats]
    pids = [int(stat.split()[0]) for stat in stats]
    children = [
        pid for pid, rest in zip(pids, split, strict=True) if int(rest[1]) in sandbox.pids()
    ]
    tasks = [task for pid in children for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    return [int(task.read_text().rpartition(")")[2].split()[16]) for task in tasks]


def test_pools_and_asyncio(sandbox: WarmSandbox) -> None:
    code = (
        "import asyncio\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor() as pool: print(sum(pool.map(abs, range(-50, 0))))\n"
        "async def main():\n"
        "    return await asyncio.gather(*(asyncio.to_thread(pow, 2, n) for n in range(9)))\n"
        "print(sum(asyncio.run(main())))"
    )
    assert printed(sandbox, code) == "1275\n511\n"
