"""Programs that attack, against the real sandbox: none gets out, passes tests, or stays."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import srpo
from sandbox import adversarial as table
from sandbox import adversarial_bounds as bounds
from sandbox import adversarial_forgeries as forgeries
from srpo.sandbox.base import Limits, Program
from srpo.sandbox.inside.clock import PATIENCE
from srpo.sandbox.warm import WarmSandbox
from srpo.types import Outcome, Problem
from srpo.verifiers.code.verifier import CodeVerifier
from walls import WHY_NOT, opened

MECHANISMS = [name for name in ("sandlock", "bubblewrap") if not WHY_NOT[name]]
SMALL = Limits(time_s=0.5, memory_mb=256, output_bytes=100_000, scratch_mb=4)
AMPLE = Limits(time_s=10.0)
SLACK_S = 1.0  # for machines under load, beyond the second that a server may take itself
LATE = "took"
TRIES = 3
ESCAPES, GREEDY = table.ESCAPES | bounds.ESCAPES, table.GREEDY | bounds.GREEDY
LEFTOVERS = Program("import os; print(os.listdir('.'))")

# Known limits, which the mechanism's docstring names. Once mended, a row has to go from here.
OPEN: dict[str, tuple[str, ...]] = {
    # Landlock has no say in what only looks at names.
    "reads: size and times of a file": ("sandlock",),
    "reads: whether a file is there": ("sandlock",),
}
SOMETIMES = "disk: "  # these depend on the disk's speed: they may also be contained


def rows() -> list[tuple[str, str, str, str]]:
    """Kind, group, name and (for a forgery) problem."""
    out = [("escape", g, n, "") for g, them in ESCAPES.items() for n in them]
    out += [("greedy", g, n, "") for g, them in GREEDY.items() for n in them]
    for name, (on, _) in forgeries.FORGERIES.items():
        out += [("forgery", "forgeries", name, problem) for problem in on.split()]
    return out


def _params() -> list[Any]:
    params = []
    for mechanism in MECHANISMS:
        for row in rows():
            if row[0] == "forgery" and mechanism != MECHANISMS[0]:
                continue  # the walls have no part in it
            key = f"{row[1]}: {row[2]}" + (f" ({row[3]})" if row[3] else "")
            strict = not key.startswith(SOMETIMES)
            known = mechanism in OPEN.get(key, ())
            marks = [pytest.mark.xfail(strict=strict, reason="open")] if known else []
            params.append(pytest.param(mechanism, row, id=f"{mechanism}-{key}", marks=marks))
    return params


class Arena:
    """Two sandboxes of one server each; a row has one of them to itself."""

    def __init__(self, mechanism: str, folder: Path) -> None:
        self.boxes = [opened(mechanism, 1) for _ in range(2)]
        self._free: SimpleQueue[WarmSandbox] = SimpleQueue()
        self._k = 10**24 + secrets.randbelow(10**24)
        self._folder = folder
        for box in self.boxes:
            assert box.run(LEFTOVERS, AMPLE).stdout == "[]\n"
            self._free.put(box)

    def try_row(self, row: tuple[str, str, str, str]) -> list[str]:
        """What is wrong; nothing when the row was contained.

        A row that was only late is tried again: a busy machine is late once, a missing limit
        always.
        """
        box = self._free.get()
        wrong: list[str] = []
        try:
            for _ in range(TRIES):
                wrong = getattr(self, f"_{row[0]}")(box, *row[1:])
                if not wrong or any(not what.startswith(LATE) for what in wrong):
                    break
            return wrong
        finally:
            self._free.put(box)

    def _escape(self, box: WarmSandbox, group: str, name: str, _: str) -> list[str]:
        other = next(b for b in self.boxes if b is not box)
        server = box.pids()
        library = [Path(os.__file__)] if group == "attributes" else []
        with laid(self._folder, scratch_of(other), library) as (bait, touched):
            program = Program(table.escape(ESCAPES[group][name], bait))
            start = time.monotonic()
            result = box.run(program, SMALL)
            wrong = _late(time.monotonic() - start, result.seconds, SMALL.time_s)
            wrong += touched()
        said = result.stdout.split()
        if table.ESCAPED in said:
            wrong.append(table.ESCAPED)
        if result.status == "exception" or (result.status == "ok" and said[-1:] != [table.KEPT]):
            wrong.append(f"the row itself is wrong: {result}")
        if server != box.pids():
            wrong.append("its server has gone")
        return wrong + _unusable(box)

    def _greedy(self, box: WarmSandbox, group: str, name: str, _: str) -> list[str]:
        ends, code = GREEDY[group][name]
        start = time.monotonic()
        result = box.run(Program(code), SMALL)
        wrong = _late(time.monotonic() - start, result.seconds, SMALL.time_s)
        if result.status not in ends.split():
            wrong.append(f"{result.status} ({result.detail}), not {ends}")
        if len(result.stdout) > SMALL.output_bytes or len(result.detail) > 1000:
            wrong.append("more output than allowed")
        return wrong + _unusable(box)

    def _forgery(self, box: WarmSandbox, _: str, name: str, problem: str) -> list[str]:
        tests, honest = forgeries.problems(self._k)[problem]
        code = forgeries.FORGERIES[name][1]
        if problem == "stdin":
            code += "\nprint(f(int(input())))\n"
        start = time.monotonic()
        verdict = CodeVerifier(box, SMALL)(*_asked(tests, code))
        wrong = _late(time.monotonic() - start, 0, SMALL.time_s)
        if verdict.outcome is not Outcome.INCORRECT:
            wrong.append(f"{verdict.outcome}: {verdict.detail}")
        verdict = CodeVerifier(box, AMPLE)(*_asked(tests, honest))
        if verdict.outcome is not Outcome.CORRECT:
            wrong.append(f"an honest solution is {verdict.outcome}: {verdict.detail}")
        return wrong

    def close(self) -> None:
        for box in self.boxes:
            box.close()


def _asked(tests: dict[str, Any], code: str) -> tuple[Problem, str]:
    return Problem("p", "code", "Write f.", tests=tests), f"```python\n{code}\n```\n"


def _late(wall: float, measured: float, limit: float) -> list[str]:
    most = PATIENCE * limit + 1
    late = measured > most or wall > most + SLACK_S
    return [f"{LATE} {measured:.2f} s, {wall:.2f} s with its server"] if late else []


def _unusable(box: WarmSandbox) -> list[str]:
    result = box.run(LEFTOVERS, AMPLE)
    return [] if result.stdout == "[]\n" else [f"the next program: {result}"]


def scratch_of(box: WarmSandbox) -> str:
    (server,) = box._programs._all
    return server.scratch


@contextmanager
def laid(
    folder: Path, other: str, library: list[Path]
) -> Iterator[tuple[table.Bait, Callable[[], list[str]]]]:
    """Bait for one program, and what tells whether it was touched."""
    words = secrets.token_hex(8)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        secret, made = home / "secret", home / "made"
        secret.write_text(words)
        with suppress(OSError):  # not every file system has them
            os.setxattr(secret, "user.bait", b"1")
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listeners = [tcp, *(stack.enter_context(socket.socket(f, 2)) for f in (2, 1, 1))]
        names = ("127.0.0.1", 0), str(home / "socket"), f"\0srpo-{words}"
        for listener, name in zip(listeners[1:], names, strict=True):
            listener.bind(name)
        port, udp = (one.getsockname()[1] for one in listeners[:2])
        package = os.path.dirname(srpo.__file__)
        where = str(secret), str(home), str(made), port, udp, *names[1:], other, package
        before = _state(home, other, library)

        def touched() -> list[str]:
            wrong = [] if _state(home, other, library) == before else ["files outside were changed"]
            for listener in listeners:
                listener.setblocking(False)
                try:
                    listener.accept() if listener is tcp else listener.recv(1)
                    wrong.append(f"{listener.getsockname()!r} was reached")
                except BlockingIOError:
                    continue
            shared = Path("/dev/shm", home.name)
            if shared.exists():
                shared.unlink()
                wrong.append("/dev/shm was written")
            return wrong

        yield table.Bait(*where), touched


def _state(home: Path, other: str, library: list[Path]) -> list[Any]:
    """Any change of a file or of what it is besides moves its change time."""
    secret = home / "secret"
    seen: list[Any] = [Path(other).stat().st_mode, secret.exists() and secret.read_text()]
    for path in (home, *sorted(home.iterdir()), *library):
        info = path.lstat()
        seen.append((path.name, info.st_mode, info.st_nlink, info.st_ctime_ns))
    return seen


@pytest.fixture(scope="module")
def scratch_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where servers have their scratch directories; nothing may be left there at the end."""
    tmp_path_factory.getbasetemp()  # not below the folder that goes
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        top = tempfile.mkdtemp(prefix="srpo-adversarial-")
        stack.callback(subprocess.run, ["rm", "-rf", top], check=True)  # however deep it is
        servers = Path(top, "servers")
        servers.mkdir()
        patch.setattr(tempfile, "tempdir", str(servers))
        patch.setenv("SRPO_SECRET", "x")
        yield servers


class Runs:
    """All the rows that were chosen, two at a time."""

    def __init__(self, chosen: list[dict[str, Any]], folder: Path) -> None:
        self._pool = ThreadPoolExecutor(2)
        names = dict.fromkeys(params["mechanism"] for params in chosen)
        self.arenas = {name: Arena(name, folder) for name in names}
        self.of: dict[tuple[str, Any], Future[list[str]]] = {
            (p["mechanism"], p["row"]): self._pool.submit(
                self.arenas[p["mechanism"]].try_row, p["row"]
            )
            for p in chosen
        }

    def close(self) -> None:
        self._pool.shutdown()
        with ExitStack() as stack:
            for arena in self.arenas.values():
                stack.callback(arena.close)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, scratch_home: Path) -> Iterator[Runs]:
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = [c.params for c in calls if c is not None and {"row", "mechanism"} <= c.params.keys()]
    baits = scratch_home.parent / "baits"
    baits.mkdir()
    started = Runs(chosen, baits)
    yield started
    started.close()


@pytest.mark.parametrize(("mechanism", "row"), _params())
def test_contained(runs: Runs, mechanism: str, row: Any) -> None:
    wrong = runs.of[mechanism, row].result(timeout=60)
    assert not wrong, "; ".join(wrong)


def test_nothing_is_left(runs: Runs, scratch_home: Path) -> None:
    """When all rows have ended and the sandboxes are closed."""
    runs.close()
    assert list(scratch_home.iterdir()) == []
    assert processes_of(scratch_home) == []


def processes_of(folder: Path) -> list[str]:
    """Every process that was started with this folder, or works in it, whoever its parent is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for what in ("cmdline", "environ"):
            with suppress(OSError):
                if str(folder).encode() in (process / what).read_bytes():
                    found.append(f"{process.name}: {(process / 'cmdline').read_bytes()!r}")
        with suppress(OSError):
            if str((process / "cwd").readlink()).startswith(str(folder)):
                found.append(process.name)
    return found


@pytest.fixture(params=MECHANISMS)
def box(request: pytest.FixtureRequest) -> Iterator[WarmSandbox]:
    with opened(request.param, 1) as one:
        yield one


PATIENT = Limits(time_s=8.0)


def test_no_expected_value_in_memory(box: WarmSandbox) -> None:
    """What earlier tests on the same servers expected is not in a program's memory."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(8)
    wanted = f"{prefix}{secret}"
    verify = CodeVerifier(box, AMPLE)
    for tests in (
        {"type": "function", "entry_point": "f", "cases": [{"args": [1], "expected": wanted}]},
        {"type": "asserts", "asserts": [f"assert f(1) == {wanted!r}"]},
        {
            "type": "check",
            "entry_point": "f",
            "code": f"def check(candidate):\n    assert candidate(1) == {wanted!r}\n",
        },
        {"type": "stdin", "cases": [{"input": "1", "output": wanted}]},
    ):
        verdict = verify(*_asked(tests, "def f(n): return n"))
        assert verdict.outcome is Outcome.INCORRECT
    assert secret not in scanned(box, prefix)


def test_no_earlier_program_in_memory(box: WarmSandbox) -> None:
    """Another rollout's source or output would be an answer to copy."""
    prefix, source, printed = (secrets.token_hex(n) for n in (4, 8, 8))
    late = printed.encode().hex()  # so that the output is not in the source
    code = f"# {prefix}{source}\nprint({prefix!r} + bytes.fromhex({late!r}).decode())"
    assert box.run(Program(code), AMPLE).stdout == f"{prefix}{printed}\n"
    found = scanned(box, prefix)
    assert source not in found
    assert printed not in found


def scanned(box: WarmSandbox, prefix: str) -> str:
    """What follows the prefix in a new program's memory; the scan finds what is there."""
    server = box.pids()
    code = forgeries.SCAN.replace("{reversed!r}", repr(prefix[::-1].encode()))
    own = secrets.token_hex(8)
    result = box.run(Program(f"own = {prefix[:4]!r} + {prefix[4:] + own!r}\n{code}"), PATIENT)
    assert result.status == "ok", result
    assert own in result.stdout
    assert set(server) >= set(box.pids()), "another server has run it"
    return result.stdout.replace(own, "")


def test_a_program_ends_with_its_server(box: WarmSandbox, tmp_path: Path) -> None:
    """Also when it asked not to be told of that."""
    code = (
        "import ctypes, time\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
        "open('ready', 'w').close()\ntime.sleep(9)"
    )
    box.run(LEFTOVERS, AMPLE)
    scratch = scratch_of(box)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(box.run, Program(code), Limits(time_s=1.0))
        (server,) = box.pids()
        _wait(lambda: Path(f"/proc/{server}/cwd/ready").exists())
        os.kill(server, signal.SIGKILL)
        _wait(lambda: len(processes_of(Path(scratch))) == 0)
        running.result(timeout=30)


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_are_enough_of_them() -> None:
    assert len(rows()) >= 140
