"""Does default deny refuse honest programs? The standard library's own tests tell, run as programs.

    python benchmarks/default_deny.py [MECHANISM]... [--only test_os,test_io] [--out file.json]
    SRPO_DATA=folder python benchmarks/default_deny.py --record

Each test module is one program: once without walls, once behind each mechanism, with the same
limits. What passes without and does not behind is listed with what was refused, and judged by
`JUDGED`; exit code 1 when something is not. `docs/default-deny.md` has the result.

`--record` runs the same programs, and the reference programs of public code sets, outside under
strace, and compares the system calls that they make with `srpo/sandbox/inside/syscalls.py`.
The interpreter has to have its tests: the package `test`, which some distributions leave out.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
import code_sets

from srpo.errors import SandboxError
from srpo.sandbox import launch
from srpo.sandbox.base import Limits, Program, Sandbox
from srpo.sandbox.inside import syscalls
from srpo.sandbox.interpreter import base_path, ours
from srpo.sandbox.mechanisms import open_sandbox
from srpo.sandbox.servers import Launched
from srpo.sandbox.unsafe_subprocess import UnsafeSubprocess

OPEN = "no walls"
BARE = "sandlock, no namespaces"  # no file system of its own for the scratch directory
WORKERS = 2

# What has no sense as one process without a network, and why.
LEFT_OUT: dict[str, str] = {
    "processes, all of it": (
        "audit c_locale_coercion cmd_line cmd_line_script crashers dtrace eintr embed ensurepip "
        "faulthandler file_eintr fork1 gdb launcher multiprocessing_main_handling pipes popen "
        "regrtest repl script_helper site subprocess support utf8_mode venv wait3 wait4"
    ),
    "builds or reads the interpreter's source": (
        "check_c_globals clinic cppext distutils freeze peg_generator tools"
    ),
    "servers and clients on sockets": (
        "asynchat asyncore docxmlrpc ftplib httplib httpservers imaplib nntplib poplib "
        "robotparser smtpd smtplib smtpnet socket socketserver ssl telnetlib timeout "
        "urllib2_localnet urllib2net urllibnet xmlrpc xmlrpc_net "
        "asyncio.test_sendfile asyncio.test_server asyncio.test_sock_lowlevel asyncio.test_ssl "
        "asyncio.test_sslproto asyncio.test_unix_events asyncio.test_windows_events "
        "asyncio.test_windows_utils asyncio.test_subprocess asyncio.test_buffered_proto"
    ),
    "a terminal": "curses ioctl openpty pty readline tty",
    "a display": "idle tcl tix tk ttk_guionly ttk_textonly turtle",
    "more memory or disk than any program has": "bigaddrspace bigmem largefile zipfile64",
    "another system": (
        "_osx_support devpoll kqueue msilib nis ossaudiodev osx_env startfile syslog winconsoleio "
        "winreg winsound"
    ),
}

LARGE = "test_asyncio"  # its parts are run as modules

# Each test's outcome is a line of its own, told before the next begins: a module that hangs or is
# killed has told the rest. `MARK` sets the lines off from what tests print.
MARK = "@outcome "
PATIENCE_S = 15  # for one test
PROGRAM = (
    f"MARK, PATIENCE_S = {MARK!r}, {PATIENCE_S}\n"
    + r"""
import json, os, signal, sys, traceback, unittest
from test import support
from test.support import os_helper, socket_helper
support.use_resources, support.verbose = (), False  # nothing large, slow, or on the network
# Whatever they would find, or fail at when a module is read: no test is left out for that.
os_helper._can_chmod = os_helper._can_xattr = True
socket_helper._bind_nix_socket_error = OSError("no sockets")
out = 1

def tell(name, outcome, error=None, why=""):
    if error is not None:
        frames = [f for f in traceback.extract_tb(error[2]) if "/unittest/" not in f.filename]
        at = frames[-1] if frames else None
        where = f" [{os.path.basename(at.filename)}:{at.lineno} {at.line}]" if at else ""
        why = f"{error[0].__name__}: {str(error[1])[:300]}{where}"
    line = json.dumps([name, outcome, why])
    os.write(out, f"\n{MARK}{line}\n".encode())

def late(*_): raise TimeoutError("it hangs")

class Teller(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        tell(test.id(), "begun")
        signal.signal(signal.SIGALRM, late)
        signal.alarm(PATIENCE_S)
    def stopTest(self, test): signal.alarm(0); super().stopTest(test)
    def addSuccess(self, test): tell(test.id(), "passed")
    def addSkip(self, test, reason): tell(test.id(), "skipped", why=reason)
    def addFailure(self, test, error): tell(test.id(), "failed", error)
    def addError(self, test, error): tell(test.id(), "failed", error)
    def addExpectedFailure(self, test, error): tell(test.id(), "passed")
    def addUnexpectedSuccess(self, test): tell(test.id(), "failed", why="unexpected success")
    def addSubTest(self, test, part, error):
        if error is not None: tell(test.id(), "failed", error)

if MODULE == "test_tarfile":  # reads the names of users before any test
    import pwd
    pwd.getpwuid = lambda uid: pwd.struct_passwd(("root", "x", uid, 0, "", "/", ""))
sys.argv = [MODULE]
try: parts = unittest.defaultTestLoader.loadTestsFromName("test." + MODULE)
except unittest.SkipTest: parts = ()
except Exception: parts = tell(MODULE, "failed", sys.exc_info()) or ()
for number, part in enumerate(parts):
    try: part(Teller())
    except BaseException: tell(f"part {number}", "failed", sys.exc_info())
os.write(out, f"\n{MARK}[\"\", \"end\", \"\"]\n".encode())
"""
)


@dataclass
class Found:
    """What one run of a module told: the outcome and the reason of each test."""

    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    end: str = ""  # how the program ended, where not by itself at its end
    seconds: float = 0.0


def modules(folder: Path, only: str) -> list[str]:
    """Those that are run."""
    out = {f"test_{name}" for names in LEFT_OUT.values() for name in names.split()}
    there = {path.stem for path in folder.glob("test_*") if path.suffix in ("", ".py")}
    there -= {LARGE}
    there |= {f"{LARGE}.{path.stem}" for path in (folder / LARGE).glob("test_*.py")}
    wanted = set(only.split(",")) if only else there - out
    return sorted(wanted & there)


def run_module(box: Sandbox, module: str, time_s: float) -> Found:
    """Once, in any server of `box`."""
    limits = Limits(time_s=time_s, memory_mb=2048, output_bytes=1 << 26)
    code = f"MODULE = {module!r}\n{PROGRAM}"
    try:
        result = box.run(Program(code), limits)
    except SandboxError as error:
        return Found(end=f"our failure: {error}")
    found = read_outcomes(result.stdout)
    found.seconds = result.seconds
    words = f"{result.status}: {result.detail}".strip(": ")
    if found.outcomes.pop("", "") != "end":
        found.end = words if words != "ok" else "it ended early"
    return found


def read_outcomes(text: str) -> Found:
    """The worst that was told of each test: one may fail in parts, and go on."""
    found, rank = Found(), ("begun", "passed", "end", "skipped", "failed")
    for line in text.splitlines():
        if line.startswith(MARK):
            try:
                name, outcome, why = json.loads(line[len(MARK) :])
            except ValueError:  # a test wrote into the line
                continue
            if rank.index(outcome) >= rank.index(found.outcomes.get(name, "begun")):
                found.outcomes[name], found.reasons[name] = outcome, why
    return found


# What is refused, and what shows it in a test's name or in what the test says. The first that fits
# is the kind; docs/default-deny.md says of each why it is refused.
JUDGED: dict[str, str] = {
    "shared memory": r"mmap\.mmap\(-1|test_mmap",
    "processes": (
        r"fork|_exec|[Ss]pawn|Popen|subprocess|popen|multiprocessing|requires a shell|SemLock"
        r"|assert_python|script_helper|pidfd|setsid|os\.wait|waitp|<frozen os>:853|test_findmatch"
        r"|test_json.test_tool|test_doctest.test_CLI|find_library|find libc|C library|lib_gl"
        r"|mailcap|requires if|requires ip|command to run"
    ),
    "sockets": (
        r"socket|\bbind|gaierror|getaddrinfo|IPv6|sockets\[0\]|servers?\b|Name or service"
        r"|test_logging.*(Handler|test_listen)|test_drain"
    ),
    "between folders": r"[Cc]ross-device",
    "attributes of files": (
        r"chmod|chown|utime|S_ISGID|xattr|st_mode|copystat|permission_|permissions|mtime|st_atime|fsync"
        r"|fdatasync|test_stat|TestWhich|ExtendedAttr|test_clean|before_1980|decode_mode|file_mode"
    ),
    "where links lead": r"readlink|realpath|[Ss]ymlink|resolve",
    "files outside": (
        r"getpw|getgr|test_grp|\buid|\bgid|test_home|test_owner|system database|/usr/share/zoneinfo"
        r"|shadow password|timezone database|mime\.types|/proc/|os\.sep|installed location"
        r"|Read-only file system|config_h"
    ),
    "who else is there": (
        r"groups|setre?s?[ug]id|sched_|priority|nice|prlimit|settime|mkfifo|mknod|fifo|openpty|tcgetp"
        r"|tcsetp|pty devices"
    ),
    "the disk": r"statvfs|pathconf|disk_usage|fadvise",
    "what is rarely called": (
        r"eventfd|memfd|splice|copy_file_range|fcntl_64_bit|f_pipesize|testNoArgFunctions"
    ),
    "64 threads": r"can't start new thread",
}
REMOVED = "removed files stay, nothing is renamed (not told apart)"


@dataclass(frozen=True, order=True)
class Difference:
    """A test that passes without walls, and what becomes of it behind them."""

    module: str
    test: str
    outcome: str
    why: str
    count: int = 1  # of tests

    @property
    def kind(self) -> str:
        """Its row of `JUDGED`; "" when it has none."""
        text = f"{self.module} {self.test} {self.outcome} {self.why}"
        return next((kind for kind, pattern in JUDGED.items() if re.search(pattern, text)), "")


def differences(module: str, without: Found, behind: Found) -> Iterator[Difference]:
    missed = []
    for test, outcome in without.outcomes.items():
        now = behind.outcomes.get(test, "")
        if outcome == "passed" and now in ("", "begun"):
            missed.append(test)
        elif outcome == "passed" and now != "passed":
            yield Difference(module, test, now, " ".join(behind.reasons[test].split()))
    if missed:
        told = behind.reasons.get(module) or behind.reasons.get("part 0") or behind.end
        why = f"{' '.join(told.split())}, at {missed[0]}"
        yield Difference(module, f"{module}, the rest", "not reached", why, len(missed))


def both_times(first: list[Difference], again: list[Difference]) -> list[Difference]:
    """Without those that depend on the hour: tests of time, on a busy machine."""
    names = {d.test for d in again}
    return [d for d in first if d.test in names]


class Comparison:
    """The modules without walls and behind each mechanism."""

    def __init__(self, mechanisms: list[str], time_s: float) -> None:
        self.mechanisms, self.time_s = mechanisms, time_s
        self.without: dict[str, Found] = {}
        self.behind: dict[str, dict[str, Found]] = {name: {} for name in mechanisms}
        self.different: dict[str, list[Difference]] = {name: [] for name in mechanisms}
        self.unsteady = 0

    def run(self, names: list[str]) -> None:
        boxes = {name: opened(name) for name in (OPEN, *self.mechanisms)}
        try:
            with ThreadPoolExecutor(WORKERS) as threads:
                for future in as_completed(threads.submit(self._module, boxes, n) for n in names):
                    print(future.result(), flush=True)
        finally:
            for box in boxes.values():
                box.close()

    def _module(self, boxes: dict[str, Sandbox], module: str) -> str:
        without = self.without[module] = run_module(boxes[OPEN], module, self.time_s)
        counts = Counter(without.outcomes.values())
        words = [f"{module:28} {counts['passed']:5} passed {without.seconds:6.1f} s {without.end}"]
        for name in self.mechanisms:
            behind = run_module(boxes[name], module, self.time_s)
            found = list(differences(module, without, behind))
            if found:
                again = run_module(boxes[name], module, self.time_s)
                again = list(differences(module, without, again))
                self.unsteady += len(found) - len(both_times(found, again))
                found = both_times(found, again)
            self.behind[name][module] = behind
            self.different[name] += found
            words.append(f"{name}: {sum(d.count for d in found)} differ {behind.end}".strip())
        return "; ".join(words)

    def report(self) -> int:
        """How many differences have no row in `JUDGED`, or are to be mended."""
        passed = Counter(o for f in self.without.values() for o in f.outcomes.values())
        counts = ", ".join(f"{count} {outcome}" for outcome, count in passed.most_common())
        print(f"\n{len(self.without)} modules without walls: {counts}")
        print(f"{self.unsteady} differences that did not come twice are left out")
        unjudged = 0
        for name, them in self.different.items():
            kinds: Counter[str] = Counter()
            for d in them:
                kinds[d.kind or (REMOVED if name == BARE else "NOT JUDGED")] += d.count
            print(f"\n== {name}: {kinds.total()} tests that pass without walls do not behind them")
            for kind, count in kinds.most_common():
                print(f"  {count:5} {kind}")
            bad = sorted(d for d in them if not d.kind)
            for d in bad if name != BARE else ():
                print(f"    {d.test}: {d.outcome}: {d.why}")
                unjudged += d.count
        return unjudged

    def as_json(self) -> dict[str, Any]:
        ends = {n: {m: f.end for m, f in b.items() if f.end} for n, b in self.behind.items()}
        rows = {
            name: [[d.module, d.test, d.outcome, d.why, d.count, d.kind] for d in sorted(them)]
            for name, them in self.different.items()
        }
        return {"modules": sorted(self.without), "differences": rows, "ends": ends}


class Unwalled(UnsafeSubprocess):
    """Nor are files and folders counted, as they are not in a file system of a fixed size."""

    def launch(self, scratch: str) -> Launched:
        *first, code = launch.server_command(scratch, confined=False)
        command = [*first, code.replace(_LAST, f"{_UNCOUNTED}{_LAST}")]
        return launch.ServerProcess(command, scratch, launch.server_environment(scratch))


_LAST = "from inside.server import main\n"
_UNCOUNTED = "import inside.scratch as s; s.MAX_FILES = s.MAX_FOLDERS = 10**6\n"


def opened(mechanism: str) -> Sandbox:
    if mechanism == OPEN:
        return Unwalled(WORKERS)
    if mechanism == BARE:
        import walls  # the tests' own: it plays such a machine

        return walls.opened(BARE, WORKERS)
    return open_sandbox(mechanism, WORKERS)


# What they call, outside


@dataclass
class Calls:
    """System calls by name, and of those whose arguments matter the arguments."""

    names: dict[str, set[str]] = field(default_factory=dict)  # and who made them
    refused: dict[str, set[str]] = field(default_factory=dict)  # "name(arguments)": likewise


_LINE = re.compile(r"(?:\d+ +)?(\w+)\(([^)]*)")
_BEGIN = "/the-program-begins"  # asked for by the program: what came before is Python's start
_ALONE = """import os, sys
def refuse(event, _):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "pty.spawn"):
        raise PermissionError(1, event)
sys.addaudithook(refuse)
"""


def record(calls: Calls, who: str, code: str, time_s: float) -> None:
    """Run `code` outside, under strace; it may start no other program."""
    raw = ",".join(syscalls.CHECKED)
    strace = ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"raw={raw}", "-o", "trace"]
    python = ["timeout", "-s", "KILL", str(time_s), ours().executable, "-s", "-S", "-P"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        Path(scratch, "program.py").write_text(f"{_ALONE}os.access({_BEGIN!r}, 0)\n{code}")
        trace = Path(scratch, "trace")
        os.mkfifo(trace)  # ends with strace, whatever its program leaves behind
        process = subprocess.Popen(
            [*strace, *python, "program.py"],
            cwd=scratch,
            env=launch.server_environment(scratch) | {"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = threading.Timer(time_s + 5, os.killpg, (process.pid, signal.SIGKILL))
        end.start()
        with trace.open(errors="replace") as lines:
            _take(calls, who, lines)
        end.cancel()
        process.wait()


def _take(calls: Calls, who: str, lines: Iterable[str]) -> None:
    begun = False
    for line in lines:
        begun = begun or _BEGIN in line
        found = _LINE.match(line) if begun else None
        if found is None:
            continue
        name, arguments = found.groups()
        calls.names.setdefault(name, set()).add(who)
        checked = syscalls.CHECKED.get(name)
        if checked is not None:
            numbers = [int(a, 0) for a in re.findall(r"-?(?:0x[0-9a-f]+|\d+)", arguments)]
            words = _unmet(checked, numbers)
            if words:
                calls.refused.setdefault(f"{name}: {words}", set()).add(who)


def _unmet(checked: syscalls.Checked, numbers: list[int]) -> str:
    """The first argument that the filter would not have; "" where it is fine."""
    for words in (checked.ignored, checked.or_allowed):
        if words and all(_holds(word, numbers) for word in words):
            return ""
    for word in checked.allowed:
        if not _holds(word, numbers):
            bits = numbers[word.argument] & word.no_bits if word.no_bits else 0
            return f"argument {word.argument} is {bits or numbers[word.argument]:#x}"
    return ""


def _holds(word: syscalls.Word, numbers: list[int]) -> bool:
    if word.high or syscalls.OWN_PID in word.values or word.argument >= len(numbers):
        return True  # depends on the process
    value = numbers[word.argument] & 0xFFFFFFFF
    return value in word.values if word.values else not value & word.no_bits


def references() -> Iterator[tuple[str, str]]:
    """The reference programs of a set, with their tests, as one program each."""
    folder = Path(os.environ["SRPO_DATA"])
    sets: dict[str, Callable[[Path], Iterator[code_sets.Item]]] = {
        "HumanEval": code_sets.humaneval,
        "MBPP": code_sets.mbpp,
        "LeetCode": code_sets.leetcode,
    }
    for name, items in sets.items():
        sources = [_alone(item) for item in code_sets.sample(items(folder), 1000)]
        code = (
            f"import json\nfor source in json.loads({json.dumps(sources)!r}):\n"
            "    try: exec(source, {})\n    except BaseException: pass\n"
        )
        yield name, code


def _alone(item: code_sets.Item) -> str:
    tests = item.problem.tests or {}
    parts = [tests.get("setup", ""), item.reference, *tests.get("asserts", [tests.get("code", "")])]
    end = f"check({item.entry})" if tests["type"] == "check" else ""
    return "\n".join([*parts, end])


def compare_calls(calls: Calls) -> None:
    listed = set(syscalls.ALLOWED) | set(syscalls.CHECKED) | set(syscalls.IGNORED)
    listed |= set(syscalls.REMOVALS) | set(syscalls.SIZED)
    listed |= {name for table in syscalls.REFUSED.values() for name in table}
    print(f"\n{len(calls.names)} system calls were made, {len(listed)} are listed")
    print("called, not listed:")
    for name in sorted(set(calls.names) - listed):
        print(f"  {name:20} {_some(calls.names[name])}")
    print("called with arguments that are refused:")
    for what, who in sorted(calls.refused.items()):
        print(f"  {what:40} {_some(who)}")
    print("listed, never called: " + " ".join(sorted(listed - set(calls.names))))


def _some(who: set[str], most: int = 6) -> str:
    names = sorted(who)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def record_all(names: list[str], time_s: float) -> dict[str, dict[str, list[str]]]:
    calls = Calls()
    programs = [(name, f"MODULE = {name!r}\n{PROGRAM}") for name in names]
    programs += list(references()) if "SRPO_DATA" in os.environ else []

    def one(program: tuple[str, str]) -> Calls:
        own = Calls()
        record(own, *program, time_s)
        return own

    with ThreadPoolExecutor(WORKERS) as threads:
        for (name, _), own in zip(programs, threads.map(one, programs), strict=True):
            print(f"{name:28} {len(own.names):4} system calls", flush=True)
            for mine, theirs in ((calls.names, own.names), (calls.refused, own.refused)):
                for what, who in theirs.items():
                    mine.setdefault(what, set()).update(who)
    compare_calls(calls)
    both = {"called": calls.names, "refused": calls.refused}
    return {name: {k: sorted(v) for k, v in them.items()} for name, them in both.items()}


def main(
    mechanisms: Annotated[list[str] | None, typer.Argument(help="Default: all three.")] = None,
    only: Annotated[str, typer.Option(help="Modules, as in test_os,test_io.")] = "",
    time_limit: Annotated[float, typer.Option(help="Seconds for a module.")] = 120.0,
    recorded: Annotated[bool, typer.Option("--record", help="What they call, outside.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where to write it all as JSON.")] = None,
) -> None:
    folder = Path(base_path("stdlib"), "test")
    if not folder.is_dir():
        sys.exit(f"this interpreter has no tests: {folder} is not there")
    names, start = modules(folder, only), time.monotonic()
    if recorded:
        calls = record_all(names, time_limit)
        if out is not None:
            out.write_text(json.dumps(calls, indent=1))
        return
    comparison = Comparison(mechanisms or ["sandlock", BARE, "bubblewrap"], time_limit)
    comparison.run(names)
    unjudged = comparison.report()
    print(f"{time.monotonic() - start:.0f} s")
    if out is not None:
        out.write_text(json.dumps(comparison.as_json(), indent=1))
    if unjudged:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
