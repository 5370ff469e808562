"""What programs get, what they give back, and what happens when a server is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from srpo.errors import SandboxError
from srpo.sandbox import mechanisms, translate
from srpo.sandbox.base import Call, Limits, Program, TestCode
from srpo.sandbox.conversation import WATCHDOG_S
from srpo.sandbox.inside.clock import PATIENCE
from srpo.sandbox.mechanisms import open_sandbox
from srpo.sandbox.warm import Launched, WarmSandbox
from srpo.types import UserError
from walls import REAL, WHY_NOT, opened


@pytest.fixture(scope="module", params=[*REAL, "unsafe-subprocess"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[WarmSandbox]:
    with opened(request.param, 2) as box:
        yield box


def test_calls_and_values(sandbox: WarmSandbox) -> None:
    code = "def f(a, b=2):\n    print('noise')\n    return {'sum': (a, b)}"
    result = sandbox.run(Program(code, "f", (Call((1,)), Call((1,), {"b": [3]}))), Limits())
    assert result.status == "ok"
    assert result.values == ({"sum": [1, 2]}, {"sum": [1, [3]]})
    assert result.stdout == "noise\nnoise\n"


def test_method_of_a_class(sandbox: WarmSandbox) -> None:
    code = "class Solution:\n    def twice(self, x):\n        return 2 * x"
    assert sandbox.run(Program(code, "Solution.twice", (Call((4,)),)), Limits()).values == (8,)


def test_values_up_to_the_exception(sandbox: WarmSandbox) -> None:
    code = "def f(x):\n    return 6 // x"
    result = sandbox.run(Program(code, "f", (Call((3,)), Call((0,)), Call((1,)))), Limits())
    assert (result.status, result.values) == ("exception", (2,))
    assert result.detail.startswith("ZeroDivisionError")
    assert "(line 2)" in result.detail


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(:", "SyntaxError"),
        ("def g(): pass", "NameError: f is not defined"),
        ("def f(): return {1}", "returned a set"),
        ("def f(): return {(1, 2): 3}", "key of type tuple"),
        ("def f(): raise SystemExit(0)", "exited early"),
        ("import nothing_like_it", "ModuleNotFoundError"),
    ],
)
def test_details(sandbox: WarmSandbox, code: str, words: str) -> None:
    result = sandbox.run(Program(code, "f", (Call(),)), Limits())
    assert result.status == "exception"
    assert words in result.detail


def test_standard_input_of_any_size(sandbox: WarmSandbox) -> None:
    text = "7 ü\n" * 100_000
    code = "import sys\nprint(len(sys.stdin.read()))\nif __name__ == '__main__': exit()"
    result = sandbox.run(Program(code, stdin=text), Limits(time_s=5))
    assert (result.status, result.stdout) == ("ok", f"{len(text)}\n")


@pytest.mark.parametrize("end", ["", "raise SystemExit"])
def test_threads_and_exit_functions_are_part_of_a_program(sandbox: WarmSandbox, end: str) -> None:
    """As they are for `python program.py`: without join, a thread is waited for all the same."""
    code = (
        "import atexit, threading, time\n"
        "def late():\n    time.sleep(0.05); print('late')\n"
        "def later():\n    threading.Thread(target=late).start(); time.sleep(0.1)\n"
        "atexit.register(print, 'last')\n"
        "threading.Thread(target=later).start()\n"
        "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        f"print('first'); {end}\n"
    )
    result = sandbox.run(Program(code), Limits())
    assert (result.status, result.stdout) == ("ok", "first\nlate\nlast\n")


def test_files_as_programs_use_them(sandbox: WarmSandbox) -> None:
    code = (
        "import shutil, tempfile\nfrom pathlib import Path\n"
        "Path('a').touch(); Path('a').touch(); print(Path('a').exists())\n"
        "Path('a').write_text('x'); shutil.copy2('a', 'b'); print(Path('b').read_text())\n"
        "with tempfile.TemporaryDirectory() as folder: Path(folder, 'c').touch()\n"
    )
    result = sandbox.run(Program(code), Limits())
    assert (result.status, result.stdout) == ("ok", "True\nx\n")


def test_programs_do_not_see_each_other(sandbox: WarmSandbox) -> None:
    sandbox.run(Program("import math; math.pi = 3"), Limits())
    assert sandbox.run(Program("import math; print(math.pi)"), Limits()).stdout[:4] == "3.14"


def test_same_hashes_in_every_server(sandbox: WarmSandbox) -> None:
    program = Program("print(list({'a', 'b', 'c', 'd', 'e'}))")
    with opened(sandbox.mechanism, 1) as other:
        assert sandbox.run(program, Limits()).stdout == other.run(program, Limits()).stdout


def test_outlives_the_thread_that_used_it_first() -> None:
    with opened("sandlock" if not WHY_NOT["sandlock"] else "unsafe-subprocess", 1) as box:
        first = threading.Thread(target=box.run, args=(Program("print(1)"), Limits()))
        first.start()
        first.join()
        pids = box.pids()
        time.sleep(0.1)
        assert box.run(Program("print(1)"), Limits()).stdout == "1\n"
        assert box.pids() == pids


def test_a_lost_server_costs_nothing(sandbox: WarmSandbox) -> None:
    """The host kills it in the middle of a program: the program is run again, and is right."""
    with opened(sandbox.mechanism, 1) as box, ThreadPoolExecutor(1) as threads:
        box.run(Program(""), Limits())
        (pid,) = box.pids()
        future = threads.submit(box.run, Program("import time; time.sleep(.4); print(1)"), Limits())
        time.sleep(0.15)
        os.kill(pid, signal.SIGKILL)
        assert future.result().stdout == "1\n"
        assert pid not in box.pids()


def test_descriptors_do_not_pile_up(sandbox: WarmSandbox) -> None:
    with opened(sandbox.mechanism, 1) as box:
        before = len(os.listdir("/proc/self/fd"))
        for n in range(70):
            assert box.run(Program(f"print({n})"), Limits()).stdout == f"{n}\n"
        assert len(os.listdir("/proc/self/fd")) < before + 10


def test_a_silent_server_is_replaced(sandbox: WarmSandbox) -> None:
    with opened(sandbox.mechanism, 1) as box:
        box.run(Program(""), Limits())
        (pid,) = box.pids()
        os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        assert box.run(Program("print(1)"), Limits(time_s=0.2)).stdout == "1\n"
        assert time.monotonic() - start < PATIENCE * 0.2 + WATCHDOG_S + 3  # to start another
        assert pid not in box.pids()


def test_a_program_that_kills_its_server_is_to_blame() -> None:
    """Possible without walls only."""
    with opened("unsafe-subprocess", 1) as box:
        result = box.run(Program("import os; os.kill(os.getppid(), 9)"), Limits())
        assert (result.status, result.detail) == ("killed", "its server died, 3 times in a row")
        assert box.run(Program("print(1)"), Limits()).stdout == "1\n"


@pytest.mark.parametrize("mechanism", [*REAL, "unsafe-subprocess"])
def test_everything_ends_with_its_host(mechanism: str) -> None:
    """A host that is killed leaves no server, no program and no file behind."""
    program = "open('f', 'w').write('x')\nwhile True: pass"
    code = (
        "import sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent.parent)]!r}\n"
        "from srpo.sandbox.base import Limits, Program\nfrom walls import opened\n"
        f"box = opened({mechanism!r}, 1)\nbox.run(Program(''), Limits())\n"
        "print(*box.pids(), flush=True)\n"
        f"box.run(Program({program!r}), Limits(time_s=60))"
    )
    host = subprocess.Popen([sys.executable, "-c", code], stdout=-1)
    assert host.stdout is not None
    server = int(host.stdout.readline())
    scratch = Path(f"/proc/{server}/cwd").readlink()
    time.sleep(0.3)
    host.kill()
    host.wait()
    host.stdout.close()
    left = [Path(f"/proc/{server}"), scratch.parent]
    deadline = time.monotonic() + 5
    while any(path.exists() for path in left) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [path for path in left if path.exists()] == []


@pytest.mark.parametrize("whose", ["program", "tests"])
def test_a_process_that_does_not_begin_is_an_error_of_ours(
    sandbox: WarmSandbox, whose: str
) -> None:
    """No limit like this can be set: the process ends before it is ready."""
    impossible = {"memory_mb": 10**15}
    program = Program("def f(): return 1", tests=TestCode(("assert f() == 1",)))
    request = translate.program_request(program, Limits())
    tests = translate.tests_request(program, request)
    assert tests is not None
    request, tests = (
        (request | impossible, tests) if whose == "program" else (request, tests | impossible)
    )
    with pytest.raises(
        SandboxError, match="before it was ready: exited: exited early with code 70"
    ):
        sandbox._run_or_blame(request, tests, lambda *_: True)
    assert sandbox.run(program, Limits()).status == "ok"


def test_a_program_that_prints_at_once(sandbox: WarmSandbox) -> None:
    """Before its server looks whether it is ready: both are there at the same time."""
    for _ in range(20):
        start = time.monotonic()
        assert sandbox.run(Program("while True: print('x' * 1000)"), Limits()).status == "output"
        assert time.monotonic() - start < 2


class Broken(WarmSandbox):
    def launch(self, scratch: str) -> Launched:
        raise RuntimeError("no more processes")


def test_no_server_is_an_error_of_ours() -> None:
    with Broken(1) as box, pytest.raises(SandboxError, match="no more processes"):
        box.run(Program("print(1)"), Limits())


def test_closed() -> None:
    box = opened("unsafe-subprocess", 1)
    box.close()
    box.close()
    with pytest.raises(SandboxError, match="closed"):
        box.run(Program("print(1)"), Limits())


def test_mechanisms(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match="choose one of auto, sandlock, bubblewrap, sandboxfusion, unsafe"
    ):
        open_sandbox("docker")
    with pytest.raises(UserError, match="workers"):
        open_sandbox("auto", 0)
    monkeypatch.setattr(mechanisms, "MIN_LANDLOCK_ABI", 99)
    with pytest.raises(UserError, match=r"Landlock ABI|needs Linux"):
        open_sandbox("sandlock")


@pytest.mark.parametrize(
    "bad",
    [
        {"time_s": 0},
        {"time_s": 1e30},
        {"time_s": float("nan")},
        {"memory_mb": 1},
        {"memory_mb": 1e15},
        {"output_bytes": True},
        {"scratch_mb": 65},
    ],
)
def test_limits_are_checked(bad: dict) -> None:
    with pytest.raises(UserError, match=next(iter(bad))):
        Limits(**bad)
