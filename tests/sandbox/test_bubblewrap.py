"""bubblewrap: what only it has. The containment table is in test_containment."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from srpo.errors import SandboxError
from srpo.sandbox import mechanisms
from srpo.sandbox.base import Call, Limits, Program
from srpo.sandbox.bubblewrap import BubblewrapSandbox, why_not
from srpo.sandbox.interpreter import ours
from srpo.sandbox.mechanisms import open_sandbox
from srpo.sandbox.warm import WarmSandbox
from srpo.types import UserError
from walls import OLD, WHY_NOT, opened

pytestmark = pytest.mark.skipif(
    WHY_NOT["bubblewrap"] != "", reason=f"no bubblewrap here: {WHY_NOT['bubblewrap']}"
)
LIMITS = Limits(time_s=10.0)


@pytest.fixture(scope="module", params=["bubblewrap", OLD])
def sandbox(request: pytest.FixtureRequest) -> Iterator[WarmSandbox]:
    with opened(request.param, 1) as box:
        yield box


def printed(sandbox: WarmSandbox, code: str) -> str:
    result = sandbox.run(Program(code), LIMITS)
    assert result.status == "ok", result
    return result.stdout.strip()


def test_values(sandbox: WarmSandbox) -> None:
    numbers = [random.randint(-999, 999) for _ in range(20)]
    calls = tuple(Call((n, n + 1)) for n in numbers)
    result = sandbox.run(Program("def f(a, b): return [a * b, {'s': a + b}]", "f", calls), LIMITS)
    assert result.values == tuple([n * (n + 1), {"s": 2 * n + 1}] for n in numbers)


def test_the_old_kernel_has_no_landlock() -> None:
    code = (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True)\n"
        "print(c.syscall(444, None, ctypes.c_size_t(0), 1), ctypes.get_errno())"
    )
    with opened(OLD, 1) as box:
        assert printed(box, code) == "-1 38"


def test_only_what_python_needs_is_there(sandbox: WarmSandbox) -> None:
    names = set(printed(sandbox, "import os\nprint(*os.listdir('/'))").split())
    tops = {path.split("/")[1] for path in [*ours().readable, os.path.abspath(__file__)]}
    assert names <= tops | {"dev", "tmp"} | {os.path.realpath("/tmp").split("/")[1]}
    assert printed(sandbox, "import os\nprint(*sorted(os.listdir('/dev')))") == "null urandom"
    for hidden in ("/proc", "/sys", "/home", "/etc/passwd", "/bin/sh"):
        assert printed(sandbox, f"import os\nprint(os.path.exists({hidden!r}))") == "False"


def test_installed_packages_are_hidden(sandbox: WarmSandbox) -> None:
    for package in (pytest, mechanisms):
        code = f"import os\nprint(os.path.exists({package.__file__!r}))"
        assert printed(sandbox, code) == "False"


def test_everything_but_scratch_is_read_only(sandbox: WarmSandbox) -> None:
    code = (
        "import os\n"
        "for folder, folders, _ in os.walk('/'):\n"
        "    folders[:] = folders[:20] if folder.count('/') < 6 else []\n"
        "    try: os.mkdir(folder + '/made')\n"
        "    except OSError: continue\n"
        "    folders[:] = []; print(folder)\n"
        "print(os.getcwd())"
    )
    made, scratch = printed(sandbox, code).split()
    assert made == scratch


def test_namespaces_are_its_own(sandbox: WarmSandbox) -> None:
    said = printed(sandbox, "import os, socket\nprint(os.getppid(), os.uname().nodename)")
    assert said == "1 sandbox"
    (pid,) = sandbox.pids()
    for kind in ("user", "mnt", "pid", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")


def test_server_has_no_privileges(sandbox: WarmSandbox) -> None:
    printed(sandbox, "")
    (pid,) = sandbox.pids()
    status = Path(f"/proc/{pid}/status").read_text()
    for line in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):
        assert f"{line}:\t{0:016x}" in status
    assert "NoNewPrivs:\t1" in status


def test_a_lost_or_silent_server_is_replaced() -> None:
    for deadly in (signal.SIGKILL, signal.SIGSTOP):
        with opened("bubblewrap", 1) as box, ThreadPoolExecutor(1) as threads:
            printed(box, "")
            (pid,) = box.pids()
            code = "import time; time.sleep(.3); print(1)"
            future = threads.submit(box.run, Program(code), Limits(time_s=0.6))
            time.sleep(0.1)
            os.kill(pid, deadly)
            assert future.result().stdout == "1\n"
            assert pid not in box.pids()


def test_no_server_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Misled(BubblewrapSandbox):
        def walls(self, scratch: str) -> list[str]:
            return [*super().walls(scratch), "--ro-bind", "/no/such/folder", "/x"]

    with Misled(1) as box, pytest.raises(SandboxError, match=r"/no/such/folder"):
        box.run(Program(""), LIMITS)
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert "bwrap is not installed" in why_not()
    with pytest.raises(UserError, match=r"bubblewrap: bwrap is not installed"):
        open_sandbox("bubblewrap")


def test_auto_takes_bubblewrap_without_sandlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mechanisms, "_why_no_sandlock", lambda: "the kernel is old")
    with open_sandbox("auto", 1) as box:  # type: ignore[attr-defined]
        assert box.mechanism == "bubblewrap"
        assert printed(box, "print(6 * 7)") == "42"
    monkeypatch.setattr(mechanisms, "_why_no_bubblewrap", lambda: "no namespaces")
    with pytest.raises(UserError) as caught:
        open_sandbox("auto", 1)
    for words in ("the kernel is old", "no namespaces", "pip install sandlock", "apt-get install"):
        assert words in str(caught.value)


def test_a_forbidding_kernel_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """bwrap is there but may not: its own words are the reason."""
    refusing = tmp_path / "bwrap"
    refusing.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1"
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert why_not() == "bwrap: No permissions to create new namespace"
