"""The grader that computes LiveCodeBench's verdicts: its ways, each beside our own grader's, and
programs that try to forge. That the ways are LiveCodeBench's was found out with its own code."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import load_script
from srpo.errors import SandboxError, UserError
from srpo.evaluation.graders import lcb_inside
from srpo.evaluation.graders.lcb import EDITIONS, Edition, LcbVerifier, last_block
from srpo.evaluation.graders.lcb_compare import output_fault, same_value
from srpo.sandbox.base import Limits, Sandbox
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.types import Outcome, Problem
from srpo.verifiers.code.verifier import CodeVerifier

DATA = os.environ.get("SRPO_DATA")
MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own
PATIENT, SHORT = Limits(time_s=5, memory_mb=1024), Limits(time_s=0.5, memory_mb=1024)
# Programs that take all the time they are given, in one of the two graders or both.
WAIT = {
    *("open(0)", "descriptor 0", "its end of file", "a time limit that is caught", "a loop"),
    *("a sleep", "loops", "loops while it is loaded", "catches the time limit", "another alarm"),
}
RUNTIME, WRONG, LATE = "runtime error", "wrong answer", "time limit exceeded"
TESTING, RUNNER = "error during testing", "test runner error"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    box = open_sandbox(MECHANISM, 2)
    yield box
    box.close()


def reading(*cases: tuple[str, str]) -> Problem:
    tests = {"type": "stdin", "cases": [{"input": i, "output": o} for i, o in cases]}
    return Problem("p", "code", "", tests=tests)


def calling(*cases: tuple[list[Any], Any], name: str = "f") -> Problem:
    found = [{"args": args, "expected": expected} for args, expected in cases]
    tests = {"type": "function", "entry_point": f"Solution().{name}", "cases": found}
    return Problem("p", "code", "", tests=tests)


def said(
    box: Sandbox, problem: Problem, code: str, name: str = "", edition: Edition = EDITIONS[0]
) -> str:
    """The kind of failure, "" for none."""
    limits = SHORT if name in WAIT else PATIENT
    verdict = LcbVerifier(box, limits, edition).run_program(problem, code)
    kinds = [kind for kind in (RUNTIME, WRONG, LATE, TESTING, RUNNER) if kind in verdict.detail]
    assert (verdict.outcome is Outcome.CORRECT) == (not kinds), verdict
    return kinds[0] if kinds else ""


def passes_ours(box: Sandbox, problem: Problem, code: str, wait: bool = True) -> bool:
    limits = PATIENT if wait else SHORT
    return CodeVerifier(box, limits).run_program(problem, code).outcome is Outcome.CORRECT


# The sum of four numbers in two lines, twice.
SUM = reading(("1 2\n3 4\n", "10\n"), ("5 6\n7 8\n", "26\n"))
WORDS = "print(sum(map(int, {}.split())))"
LINES = "print(sum(int(w) for line in {} for w in line.split()))"
BY_LINE = "print(sum(map(int, ({0} + {0}).split())))"
# What reads: how it fails in either edition ("": it passes), and whether it passes ours.
READS: dict[str, tuple[str, str, str, bool]] = {
    "read": ("import sys\n" + WORDS.format("sys.stdin.read()"), "", "", True),
    "read, again and again": (
        "import sys\nprint(sum(map(int, (sys.stdin.read() + sys.stdin.read()).split())) // 2)",
        *(WRONG, "", False),
    ),
    "readline": ("import sys\n" + BY_LINE.format("sys.stdin.readline()"), "", "", True),
    "readlines": ("import sys\n" + LINES.format("sys.stdin.readlines()"), "", "", True),
    "lines have ends": (
        "import sys\nx = sys.stdin.readlines()\nprint(26 if '5' in x[0] else 10, end=x[0][3:])",
        *("", "", True),
    ),
    "the file": ("import sys\n" + LINES.format("sys.stdin"), "", RUNTIME, True),
    "input": (BY_LINE.format("input() + ' '"), "", "", True),
    "until the end of file": (
        "x = 0\nwhile True:\n    try: x += sum(map(int, input().split()))\n"
        "    except EOFError: break\nprint(x)",
        *("", "", True),
    ),
    "buffer.read": ("import sys\n" + WORDS.format("sys.stdin.buffer.read()"), RUNTIME, "", True),
    "buffer.readline": (
        "import sys\n" + BY_LINE.format("sys.stdin.buffer.readline()"),
        *(RUNTIME, WRONG, True),
    ),
    "open(0)": (WORDS.format("open(0).read()"), LATE, LATE, True),
    "descriptor 0": ("import os\n" + WORDS.format("os.read(0, 99)"), LATE, LATE, True),
    "builtins.open is the input": (
        "import builtins\n" + WORDS.format("builtins.open(0).read()"),
        *("", "", True),
    ),
    "whatever is opened": (
        "import builtins\nwith builtins.open('no') as f: " + LINES.format("f"),
        *("", "", False),
    ),
    "stdin from sys, above": (
        "from sys import stdin\n" + WORDS.format("stdin.read()"),
        "",
        "",
        True,
    ),
    "its lines": ("from sys import stdin\n" + LINES.format("stdin"), WRONG, WRONG, True),
    "its readline has no end of line": (
        "from sys import stdin\n" + BY_LINE.format("stdin.readline()"),
        *(WRONG, WRONG, True),  # "1 23 4"
    ),
    "its end of file": (
        "from sys import stdin\nwhile stdin.readline() or stdin.readline() or True: pass",
        *(RUNTIME, RUNTIME, False),  # StopIteration
    ),
    "stdin from sys, in a function": (
        "def main():\n    from sys import stdin\n    " + LINES.format("stdin") + "\nmain()",
        *("", RUNTIME, True),
    ),
    "stdin without an import": (WORDS.format("stdin.read()"), "", "", False),
}


@pytest.mark.parametrize("name", READS)
def test_standard_input(sandbox: Sandbox, name: str):
    code, early, late, ours = READS[name]
    assert [said(sandbox, SUM, code, name, edition) for edition in EDITIONS] == [early, late]
    assert passes_ours(sandbox, SUM, code, wait=ours) == ours


TEN = reading(("", "10"), ("", "10"))
DEEP = "def g(n): return n and 1 + g(n - 1)\nprint(g(20000) - 19990)"
# How a program is run: how it fails there, and whether it passes ours.
RUNS: dict[str, tuple[str, str, bool]] = {
    "global": ("c = 0\ndef f():\n    global c\n    c += 10\nf()\nprint(c)", RUNTIME, True),
    "nonlocal": ("c = 0\ndef f():\n    nonlocal c\n    c += 10\nf()\nprint(c)", "", False),
    "return": ("print(10)\nreturn\nprint(11)", "", False),
    "the main block": ("def main(): print(10)\nif __name__ == '__main__':\n    main()", "", True),
    "not at the end": ("if __name__ == '__main__':\n    print(10)\nx = 1", WRONG, True),
    "the other way round": ("if '__main__' == __name__:\n    print(10)", WRONG, True),
    "its else": ("if __name__ == '__main__':\n    print(10)\nelse:\n    print(11)", "", True),
    "from __future__": ("from __future__ import annotations\nprint(10)", TESTING, True),
    "class Solution": ("class Solution: pass\nprint(10)", TESTING, True),
    "class Solution in a text": ("x = 'class Solution'\nprint(10)", TESTING, True),
    "class Solution in a comment": ("print(10)  # class Solution", "", True),
    "a star in try": ("try:\n    from math import *\nfinally: print(10)", TESTING, True),
    "exit": ("print(10)\nexit()\nprint(11)", "", True),
    "sys.exit with a code": ("import sys\nprint(10)\nsys.exit(1)", "", False),
    "quit": ("print(10)\nquit()", RUNTIME, True),
    "os._exit": ("import os\nprint(10, flush=True)\nos._exit(0)", RUNNER, True),
    "KeyboardInterrupt": ("print(10)\nraise KeyboardInterrupt", RUNNER, False),
    "imported already": ("print(floor(10.5), end='')\nprint(str(deque())[:0])", "", False),
    "names of Python's own": ("print(pow(10, 1, 100))", "", True),
    "no getcwd": ("import os\nos.getcwd()\nprint(10)", RUNTIME, True),
    "no environment": ("import os\nos.environ['A'] = 'b'\nprint(10)", RUNTIME, True),
    "no resource": ("import resource\nprint(10)", TESTING, True),
    "deep recursion": (DEEP, "", False),
    "digits": ("print(len(str(10 ** 60_000)) - 59_991)", RUNTIME, True),
    "output by sys": ("from sys import stdout\nstdout.write('10')", WRONG, True),
    "output by its bytes": ("import sys\nsys.stdout.buffer.write(b'10')", RUNTIME, True),
    "output closed": ("import sys\nprint(10)\nsys.stdout.close()", RUNTIME, True),
    "a thread that is not joined": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print(10))).start()",
        *(WRONG, True),
    ),
    "a time limit that is caught": (
        "import time\ntry:\n    time.sleep(9)\nexcept Exception: print(10)",
        *(WRONG, False),  # its notice is printed, too
    ),
    "its name": ("raise ValueError('a TimeoutException')", LATE, False),
    "a loop": ("while True: pass", LATE, False),
    "a sleep": ("import time\ntime.sleep(9)", LATE, False),
    "no program": ("", TESTING, False),
    "comments alone": ("# nothing", TESTING, False),
    "no Python": ("print(10", TESTING, False),
}


@pytest.mark.parametrize("name", RUNS)
def test_how_a_program_is_run(sandbox: Sandbox, name: str):
    code, there, ours = RUNS[name]
    assert said(sandbox, TEN, code, name) == there
    assert passes_ours(sandbox, TEN, code, wait=ours) == ours


def test_one_process_runs_all_tests(sandbox: Sandbox):
    code = "import collections as c\nc.seen = getattr(c, 'seen', 0) + 1\nprint(c.seen)"
    counted = reading(("", "1"), ("", "2"))
    assert said(sandbox, counted, code) == ""
    assert not passes_ours(sandbox, counted, code)
    assert said(sandbox, reading(("", "1"), ("", "1")), code) == WRONG


# Printed, expected, whether it is the same there, and in ours.
OUTPUTS = [
    ("1.50", "1.5", True, True),
    ("1e3", "1000", True, False),
    ("007", "7", True, False),
    ("1_000", "1000", True, False),
    ("0.6666666", "0.66666667", False, True),
    ("1 2", "1   2", True, True),
    ("a b", "a   b", False, True),
    ("a 1.0", "a 1", False, False),
    (" 1 \n\n", "1", True, True),
    ("1\n\n2", "1\n2", False, False),
    ("YES", "yes", False, False),
    ("nan", "NaN", False, False),
    ("nan", "nan", True, True),
    ("inf", "Infinity", True, False),
    ("sNaN", "1", False, False),
    ("", "", True, True),
]


@pytest.mark.parametrize(("printed", "expected", "there", "ours"), OUTPUTS)
def test_outputs(sandbox: Sandbox, printed: str, expected: str, there: bool, ours: bool):
    problem, code = reading(("x", expected)), f"print({printed!r})"
    assert said(sandbox, problem, code) == ("" if there else WRONG)
    assert passes_ours(sandbox, problem, code) == ours


# What a method returns, what is expected, whether it is the same there, and in ours.
VALUES: list[tuple[str, Any, bool, bool]] = [
    ("(1, 2)", [1, 2], True, True),
    ("[(1, 2)]", [[1, 2]], False, True),
    ("True", 1, True, False),
    ("1.0", 1, True, True),
    ("0.1 + 0.2", 0.3, False, True),
    ("'1'", 1, False, False),
    ("None", None, True, True),
    ("{1, 2}", [1, 2], False, False),
    ("{1: 2}", {"1": 2}, False, True),
    ("collections.Counter('a')", {"a": 1}, True, True),
    ("collections.deque([1])", [1], False, False),
    ("float('nan')", float("nan"), False, True),
    ("__import__('fractions').Fraction(1, 2)", 0.5, True, False),
    ("__import__('decimal').Decimal('0.1')", 0.1, False, False),
    ("3 + 0j", 3, True, False),
    ("10 ** 60000", 1, False, False),
    ("type('T', (), {'__eq__': lambda *_: True})()", 1, False, False),
    ("type('L', (list,), {'__eq__': lambda *_: True})()", [1], False, False),
]


@pytest.mark.parametrize(("value", "expected", "there", "ours"), VALUES)
def test_values(sandbox: Sandbox, value: str, expected: Any, there: bool, ours: bool):
    code = f"class Solution:\n    def f(self, x):\n        return {value}"
    assert said(sandbox, calling(([0], expected)), code) == ("" if there else WRONG)
    assert passes_ours(sandbox, calling(([0], expected)), code) == ours


METHOD = "class Solution:\n    def f(self, x):\n        {}"
CALLS: dict[str, tuple[str, str]] = {
    "prints beside": (METHOD.format("print(x); return x"), ""),
    "annotations": ("class Solution:\n    def f(self, x: Optional[List[int]]): return x", ""),
    "a function alone": ("def f(x): return x", ""),
    "a function, and the class in a comment": ("# class Solution\ndef f(x): return x", TESTING),
    "no such method": ("class Solution:\n    def g(self, x): return x", TESTING),
    "a class with arguments": (
        METHOD.format("return x") + "\n    def __init__(self, a): ...",
        TESTING,
    ),
    "the main block is not run": (
        METHOD.format("return x") + "\nif __name__ == '__main__': 1 / 0",
        "",
    ),
    "exits": (METHOD.format("exit()"), RUNNER),
    "exits at the end": (METHOD.format("return x") + "\nexit()", RUNNER),
    "raises": (METHOD.format("1 / 0"), RUNTIME),
    "loops": (METHOD.format("while True: pass"), LATE),
    "loops while it is loaded": ("while True: pass", TESTING),
    "catches the time limit": (
        METHOD.format(
            "import time\n        try: time.sleep(9)\n        except Exception: return x"
        ),
        "",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(sandbox: Sandbox, name: str):
    code, there = CALLS[name]
    assert said(sandbox, calling(([1], 1), ([2], 2)), code, name) == there


def test_one_object_takes_all_calls(sandbox: Sandbox):
    code = METHOD.format("self.n += 1; return self.n") + "\n    n = 0"
    assert said(sandbox, calling(([0], 1), ([0], 2)), code) == ""


def test_a_name_of_the_prelude_is_a_program(sandbox: Sandbox):
    """`gcd` is there without a program that defines it. Ours asks for the program's own."""
    problem = calling(([4, 6], 2), name="gcd")
    assert said(sandbox, problem, "") == ""
    assert not passes_ours(sandbox, problem, "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nfirst\n```\nthen\n```\nlast\n```\n", "last"),
        ("```python\none\n```\nand `x ``` y` in a line", ""),
        ("<think>\n```\na\n```\n</think>\n```python\nb\n```", "b"),
        ("```python\ncut off", ""),
        ("```python\none\n```\n```python\ncut off", ""),
        ("  - ```py\n    x = 1\n    ```", "    x = 1"),
        ("print(1)", ""),
        ("", ""),
    ],
)
def test_the_program_is_between_the_last_two_fences(text: str, code: str):
    assert last_block(text) == code


def test_a_response_is_judged_by_its_last_block(sandbox: Sandbox):
    verifier = LcbVerifier(sandbox, PATIENT)
    text = "```python\nprint(10)\n```\nIt prints\n```\n10\n```"
    verdict = verifier(TEN, text)
    assert (verdict.outcome, verdict.answer) == (Outcome.INCORRECT, "10")
    assert CodeVerifier(sandbox, PATIENT)(TEN, text).outcome is Outcome.CORRECT
    verdict = verifier(TEN, "```python\nprint(10)\n```")
    assert (verdict.outcome, verdict.detail) == (Outcome.CORRECT, "2 cases passed")
    assert verdict.seconds > 0


# Programs that look for what is expected, or say of themselves that they passed. FIND prints what
# it finds of a text that nobody can guess.
FIND = """
import gc, re, sys
def search(thing):
    for found in re.findall("SECRET-[0-9]+", repr(thing)):
        print(found); raise SystemExit
{0}
"""
SEND = """
import json, os, struct
def send(*values):
    data = json.dumps({{"values": list(values)}}).encode()
    os.write(3, struct.pack(">I", len(data)) + data)
{0}
os._exit(0)
"""
DRIVER = "import sys\ndriver = sys.modules['solution']\n"
FORGERIES = {
    "frames": FIND.format(
        "f = sys._getframe()\nwhile f:\n    search((f.f_locals, f.f_globals)); f = f.f_back"
    ),
    "objects": FIND.format("for thing in gc.get_objects(): search(thing)"),
    "modules": FIND.format("for m in list(sys.modules.values()): search(vars(m) if m else 0)"),
    "memory": FIND.format(
        "for line in io.open('/proc/self/maps'):\n"
        "    a, b = (int(x, 16) for x in line.split()[0].split('-'))\n"
        "    with io.open('/proc/self/mem', 'rb') as m:\n"
        "        try: m.seek(a); search(m.read(b - a))\n"
        "        except (OSError, ValueError, OverflowError): pass"
    ),
    "descriptors": FIND.format(
        "import os\nfor fd in (4, 5, 6, 7):\n"
        "    try: os.set_blocking(fd, False); search(os.read(fd, 9999))\n"
        "    except OSError: pass"
    ),
    "files": FIND.format(
        "import os\nfor at, _, names in os.walk('.'):\n"
        "    for n in names: search(io.open(os.path.join(at, n)).read())"
    ),
    "says that it passed": SEND.format("send({'loaded': True}, {'passed': True}, True, 1)"),
    "says all at once": SEND.format("send(*[{'printed': ''}] * 9)"),
    "says that nothing failed": SEND.format("send({}, {'failed': ''}, {'failed': None})"),
    "says what is no reply": SEND.format(
        "send(None, [], 'printed', {'printed': {}}, {'printed': 1})"
    ),
    "says the end": 'import os, struct\nd = b\'{"end": "ok", "detail": ""}\'\n'
    "os.write(3, struct.pack('>I', len(d)) + d)\nos._exit(0)",
    "ends": "import os\nos._exit(0)",
    "kills itself": "import signal\nsignal.raise_signal(9)",
    "another step": DRIVER + "driver.Session.step = lambda *_: {'loaded': True}",
    "another input": DRIVER + "driver.with_input = lambda *_: print(True)",
    "another kind": DRIVER + "driver.kind_of = driver.failed = lambda *_: {'loaded': 1}\n1 / 0",
    "another output": "import io\nio.StringIO = type('S', (), {'getvalue': lambda s: s})\n1 / 0",
    "another print": "import builtins\nbuiltins.print = lambda *a: True\nprint('x')",
    "another alarm": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nprint(True)",
    "another text": "import builtins\n"
    "builtins.str = type('S', (str,), {'__eq__': lambda *a: True})\nprint(str(1))",
}


@pytest.mark.parametrize("name", ["frames", "objects"])
def test_the_searches_find_what_is_there(sandbox: Sandbox, name: str):
    """The input, which the driver has."""
    secret = f"SECRET-{random.getrandbits(64)}"
    assert said(sandbox, reading((secret, secret)), FORGERIES[name]) == ""


@pytest.mark.parametrize("name", FORGERIES)
def test_nothing_makes_a_wrong_answer_right(sandbox: Sandbox, name: str):
    secrets = [f"SECRET-{random.getrandbits(64)}" for _ in range(2)]
    assert said(sandbox, reading(*[("", secret) for secret in secrets]), FORGERIES[name], name)


RETURNED = {
    "equal to all": "type('E', (), {'__eq__': lambda *a: True})()",
    "a text equal to all": "type('E', (str,), {'__eq__': lambda *a: True, '__hash__': hash})()",
    "another encoding": "setattr(sys.modules['solution'], 'plain', lambda v: {'passed': 1})",
    "an object of ours": "{'ratio': [1, 1]}",
    "a broken ratio": "setattr(sys.modules['solution'], 'plain', lambda v: {'ratio': [1, 0]})",
    "no ratio": "setattr(sys.modules['solution'], 'plain', lambda v: {'ratio': 7, 'dict': 7})",
    "an exit": "__import__('os')._exit(0)",
}


@pytest.mark.parametrize("name", RETURNED)
def test_no_value_is_what_it_is_not(sandbox: Sandbox, name: str):
    problem = calling(([0], f"SECRET-{random.getrandbits(64)}"), ([0], {"a": [1.5]}))
    assert said(sandbox, problem, METHOD.format(f"return {RETURNED[name]}"))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
RETURNS = st.recursive(
    SCALARS | st.fractions() | st.sets(st.integers(0, 3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(RETURNS, RETURNS, st.booleans())
def test_a_value_that_was_sent_is_equal_to_what_it_was_equal_to(value: Any, other: Any, own: bool):
    expected = json.loads(json.dumps(_json(value if own else other)))
    sent = json.loads(json.dumps(lcb_inside.plain(value)))
    assert same_value(expected, sent) == bool(value == expected)


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple | set):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    return float(value) if isinstance(value, Fraction) else value


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=3), min_size=1, max_size=4), st.data())
def test_numbers_are_the_same_however_they_are_written(rows: list[list[int]], data: st.DataObject):
    def write(number: int) -> str:
        forms = (f"{number}", f"{number}.0", f"{number}00e-2", f"+{number}".replace("+-", "-"))
        return data.draw(st.sampled_from(forms))

    expected = "\n".join(" ".join(map(str, row)) for row in rows)
    got = "\n".join("  ".join(map(write, row)) for row in rows) + "\n"
    assert output_fault(expected, got) == ""
    number, place = data.draw(st.integers(0, len(rows) - 1)), rows[0][0]
    rows[number] = [*rows[number][:-1], rows[number][-1] + 1]
    assert output_fault("\n".join(" ".join(map(str, row)) for row in rows), got), place


def test_the_first_failing_test_ends_it(sandbox: Sandbox):
    """What would take long comes after what fails."""
    code = "import time\ntime.sleep(0.05)\nx = input()\nprint(x)\nif x == '3': time.sleep(60)"
    verifier = LcbVerifier(sandbox, Limits(time_s=30))
    problem = reading(("1", "1"), ("2", "1"), ("3", "3"))
    verdict = verifier.run_program(problem, code)
    assert verdict.detail == "case 1: wrong answer: line 1: printed '2', expected '1'"
    assert verdict.seconds < 20


def test_a_program_that_catches_every_notice_is_ended(sandbox: Sandbox):
    code = "import time\nwhile True:\n    try: time.sleep(99)\n    except Exception: pass"
    verdict = LcbVerifier(sandbox, Limits(time_s=0.01)).run_program(reading(("", "")), code)
    assert verdict.detail == "case 0: time limit exceeded: timed out after 6.01 s"


def test_what_it_cannot_grade_is_an_error_that_says_so(sandbox: Sandbox):
    verifier = LcbVerifier(sandbox)
    cases: list[tuple[Any, str]] = [
        (None, "problem p.tests is missing"),
        ({"type": "asserts", "asserts": ["assert f(1) == 1"]}, "grades stdin and function tests"),
        ({"type": "stdin", "cases": []}, "problem p.tests.cases is []: give a list of 1 or more"),
        (
            {
                **{"type": "function", "entry_point": "f"},
                "cases": [{"args": [], "kwargs": {"a": 1}, "expected": 1}],
            },
            "have kwargs",
        ),
    ]
    for tests, words in cases:
        with pytest.raises(UserError, match=re.escape(words)):
            verifier(Problem("p", "code", "", tests=tests), "")
    with pytest.raises(UserError, match="choose one of 2025-01, 2025-05"):
        LcbVerifier(sandbox, edition="2024-01")  # pyright: ignore[reportArgumentType]


def test_a_sandbox_that_is_down_is_no_wrong_answer():
    verifier = LcbVerifier(open_sandbox(MECHANISM, 1))
    verifier.close()
    with pytest.raises(SandboxError):
        verifier(TEN, "```python\nprint(10)\n```")


@pytest.mark.skipif(DATA is None, reason="SRPO_DATA is not set")
def test_official_programs_on_public_tests(sandbox: Sandbox):
    """What passed there passes; what waited at `open(0)` waits, and passes ours."""
    replay = load_script("lcb_replay")
    jobs = list(replay.joined(Path(DATA or "")))
    passed = [job for job in jobs if not job[2] and "numpy" not in job[1]]
    verifier = LcbVerifier(sandbox)
    for problem, text, _ in random.sample(passed, 25):
        assert verifier(problem, text).outcome is Outcome.CORRECT, problem.id
    waits = [job for job in jobs if "open(0)" in last_block(job[1])]
    assert len(waits) == 4
    for problem, text, official in waits:
        code = last_block(text)
        assert official == said(sandbox, problem, code, "open(0)") == LATE
        assert passes_ours(sandbox, problem, code)
