"""Verdicts on code: extraction, tests, comparison, and the real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from srpo.sandbox.base import Accept, ExecutionResult, Limits, Program, Sandbox, accept_all
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.code.blocks import extract_code
from srpo.verifiers.code.tests import same_output, same_value, validate_tests
from srpo.verifiers.code.verifier import CodeVerifier

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own
ADD = {
    "type": "function",
    "entry_point": "add",
    "cases": [{"args": [1, 2], "expected": 3}, {"args": [1], "kwargs": {"b": 5}, "expected": 6}],
}
ECHO = {
    "type": "stdin",
    "cases": [{"input": "a b\n", "output": "b a\n"}, {"input": "c d", "output": "d c"}],
}

MBPP = {
    "type": "asserts",
    "setup": "import math",
    "asserts": ["assert math.isclose(half(3), 1.5)", "assert set(twice([1])) == {1}"],
}
LINKED = {
    "type": "check",
    "entry_point": "Solution().reverse",
    "setup": (
        "class ListNode:\n"
        "    def __init__(self, val=0, next=None): self.val, self.next = val, next\n"
        "def linked(values): return ListNode(values[0], linked(values[1:])) if values else None\n"
        "def flat(node): return [node.val] + flat(node.next) if node else []\n"
    ),
    "code": (
        "def check(candidate):\n"
        "    assert flat(candidate(linked([1, 2, 3]))) == [3, 2, 1]\n"
        "    assert candidate(None) is None\n"
    ),
}
SORTS = {  # in place, by identity, and with an exception
    "type": "check",
    "entry_point": "sort",
    "code": (
        "def check(candidate):\n"
        "    values = [3, 1, 2]\n"
        "    assert sort(values) is values and values == [1, 2, 3]\n"
        "    try:\n"
        "        candidate(7)\n"
        "    except TypeError:\n"
        "        return\n"
        "    assert False, 'no error'\n"
    ),
}
REVERSE = (
    "class Solution:\n"
    "    def reverse(self, head):\n"
    "        last = None\n"
    "        while head:\n"
    "            head.next, last, head = last, head, head.next\n"
    "        return last\n"
)


class Counting:
    """The real sandbox, with a count of the programs that it ran."""

    mechanism = MECHANISM

    def __init__(self, inner: Sandbox) -> None:
        self.inner, self.count = inner, 0
        self.bounds = inner.bounds

    def run(self, program: Program, limits: Limits, accept: Accept = accept_all) -> ExecutionResult:
        self.count += 1
        return self.inner.run(program, limits, accept)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Counting]:
    box = Counting(open_sandbox(MECHANISM, 1))
    yield box
    box.close()


@pytest.fixture
def verifier(sandbox: Counting) -> CodeVerifier:
    return CodeVerifier(sandbox, Limits(time_s=1.0))


def problem(tests: Any) -> Problem:
    return Problem("p", "code", "Write it.", tests=tests)


def fenced(code: str) -> str:
    return f"Here it is.\n```python\n{code}\n```\n"


@pytest.mark.parametrize(
    ("tests", "code", "outcome", "words"),
    [
        (ADD, "def add(a, b): return a + b", Outcome.CORRECT, "2 cases passed"),
        (ADD, "def add(a, b): return 3", Outcome.INCORRECT, "case 1: got 3, expected 6"),
        (ADD, "def add(a, b): return None", Outcome.INCORRECT, "case 0: got None, expected 3"),
        (ADD, "def add(a, b): return a - c", Outcome.INCORRECT, "NameError"),
        (ADD, "def add(a, b):\n  assert b < 4\n  return a + b", Outcome.INCORRECT, "case 1: Asse"),
        (ADD, "def sub(a, b): return a", Outcome.INCORRECT, "add is not defined"),
        (ADD, "def add(a, b):\n  while 1: pass", Outcome.INCORRECT, "timeout: timed out after 1"),
        (ADD, "import os\nos._exit(0)", Outcome.INCORRECT, "exited early"),
        (ADD, "class A:\n  __eq__ = lambda s, o: True\ndef add(a, b): return A()",
         Outcome.INCORRECT, "returned a A"),
        (ECHO, "print(*input().split()[::-1])", Outcome.CORRECT, "2 cases passed"),
        (ECHO, "print('b', ' a')", Outcome.INCORRECT, "case 1: printed \"b  a\", expected 'd c'"),
        (ECHO, "print(input(), input())", Outcome.INCORRECT, "case 0: EOFError"),
        (ECHO, "print('b a')\nimport sys; sys.exit(1)", Outcome.INCORRECT, "exited early"),
        (MBPP, "def half(x): return x / 2\ndef twice(a): return a * 2", Outcome.CORRECT,
         "2 asserts passed"),
        (MBPP, "def half(x): return x // 2\ndef twice(a): return a * 2", Outcome.INCORRECT,
         "test 0: assert math.isclose(half(3), 1.5)"),
        (MBPP, "def half(x): return x / 2", Outcome.INCORRECT, "test 1: NameError"),
        (LINKED, REVERSE, Outcome.CORRECT, "check passed"),
        (LINKED, "class ListNode:\n  def __init__(self, val=0, next=None):\n"
         "    self.val, self.next = val, next\n" + REVERSE, Outcome.CORRECT, "check passed"),
        (LINKED, REVERSE.replace("return last", "return head"), Outcome.INCORRECT,
         "test 0: assert flat"),
        (SORTS, "def sort(a):\n  if not isinstance(a, list): raise TypeError(a)\n"
         "  a.sort()\n  return a", Outcome.CORRECT, "check passed"),
        (SORTS, "def sort(a):\n  return sorted(a)", Outcome.INCORRECT, "test 0: assert sort"),
        (SORTS, "def sort(a):\n  if a == 7: raise ValueError(a)\n  a.sort()\n  return a",
         Outcome.INCORRECT, "test 0: ValueError: 7: candidate(7)"),
        (SORTS, "def sort(a):\n  if a != 7: a.sort()\n  return a", Outcome.INCORRECT,
         "test 0: AssertionError: no error"),
    ],
)  # fmt: skip
def test_verdicts(
    verifier: CodeVerifier, tests: dict, code: str, outcome: Outcome, words: str
) -> None:
    verdict = verifier(problem(tests), fenced(code))
    assert verdict.outcome is outcome, verdict
    assert words.replace('"', "'") in verdict.detail.replace('"', "'")
    assert verdict.answer == code + "\n"


def test_the_problem_may_set_limits(verifier: CodeVerifier) -> None:
    slow = fenced("import time\ndef add(a, b):\n  time.sleep(.3)\n  return a + b")
    assert verifier(problem(ADD), slow).outcome is Outcome.CORRECT
    verdict = verifier(problem(ADD | {"time_limit_s": 0.2}), slow)
    assert verdict.outcome is Outcome.INCORRECT
    verdict = verifier(problem(ADD | {"memory_mb": 128}), fenced("x = bytearray(200 << 20)"))
    assert "memory" in verdict.detail


def test_it_stops_at_the_first_failing_case(verifier: CodeVerifier):
    cases = [{"args": [n], "expected": n} for n in range(10)]
    tests = {"type": "function", "entry_point": "f", "cases": cases, "time_limit_s": 5}
    code = "import time\ndef f(n):\n    time.sleep(0.4 * (n > 3))\n    return n + (n == 2)"
    verdict = verifier(problem(tests), fenced(code))
    assert verdict.detail == "case 2: got 3, expected 2"
    assert verdict.seconds < 1.5, "eight seconds would be all"


@pytest.mark.parametrize("setup", ["1 / 0", "import no_such_module", "raise SystemError"])
def test_tests_that_fail_by_themselves_are_no_verdict(verifier: CodeVerifier, setup: str):
    for tests in (MBPP, SORTS):
        with pytest.raises(UserError, match="the problem's tests fail by themselves: setup"):
            verifier(problem(tests | {"setup": setup}), fenced("def sort(a): return a"))


def test_tests_see_python_not_the_program(verifier: CodeVerifier):
    """A program may define `math`, `set` or `isclose`: tests mean Python's own."""
    code = (
        "class Liar:\n  def __getattr__(self, name): return lambda *a: True\n"
        "math = Liar()\nset = lambda a: {1}\n"
        "def half(x): return 7\ndef twice(a): return [2]\n"
    )
    assert verifier(problem(MBPP), fenced(code)).outcome is Outcome.INCORRECT


def test_a_setup_with_the_programs_names_blames_the_program(verifier: CodeVerifier):
    tests = {"type": "asserts", "setup": "root = Node(1)", "asserts": ["assert value(root) == 1"]}
    good = "class Node:\n    def __init__(self, v): self.v = v\ndef value(n): return n.v"
    assert verifier(problem(tests), fenced(good)).outcome is Outcome.CORRECT
    for bad in (good.replace("class Node", "class Other"), "Node = 5\ndef value(n): return 1"):
        assert verifier(problem(tests), fenced(bad)).outcome is Outcome.INCORRECT


def test_identical_programs_run_once(verifier: CodeVerifier, sandbox: Counting) -> None:
    before = sandbox.count
    text = fenced("def add(a, b): return b + a")
    verdicts = [verifier(problem(ADD), words + text) for words in ("So.\n", "", "Well.\n")]
    assert sandbox.count == before + 1
    assert [v.outcome for v in verdicts] == [Outcome.CORRECT] * 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx\n```", "x\n"),
        ("```\nx\n```", "x\n"),
        ("```py\nx\n```\nor\n```python\ny\n```\nbye", "y\n"),
        ("```python\nx\n```\nprints\n```text\n1\n```", "x\n"),
        ("```python\nx\n```\nor\n```python\ny\n", None),
        ("````python\n'''\n```\n'''\n````", "'''\n```\n'''\n"),
        ("```python\r\nx\r\n```\r\n", "x\r\n"),
        ("print(1)", None),
        ("```python x```", None),
        ("```" * 50_000, None),
    ],
)
def test_extract_code(text: str, code: str | None) -> None:
    assert extract_code(text) == code


def test_no_block_is_incorrect(verifier: CodeVerifier) -> None:
    assert verifier(problem(ADD), "def add(a, b): return a + b").detail.startswith("no closed")


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (0, None, False),
        (None, None, True),
        ("1", 1, False),
        ((1, 2), [1, 2], True),
        ([1, [2]], [1, [2, 3]], False),
        ({"a": 1}, {"a": 1}, True),
        ({1: "x"}, {"1": "x"}, True),
        ({"a": 1}, {"a": True}, False),
        (0.1 + 0.2, 0.3, True),
        (1.0, 1.1, False),
        (0.5, 10**400, False),
        (float("nan"), float("nan"), True),
        (2**70, float(2**70), True),
    ],
)
def test_same_value(expected: Any, got: Any, same: bool) -> None:
    assert same_value(expected, got) is same


def test_same_output() -> None:
    assert same_output("1 2\n3\n", "\n1  2 \r\n3")
    assert not same_output("1 2\n3", "1 2 3")
    assert not same_output("1", "")


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("0.333333333333", "0.333333", True),
        ("0.333333333333", "0.33333", False),
        ("2.5e3", "2500.0001", True),
        ("123456789.5", "123456789", True),
        ("0.0000004", "0", True),  # as far away as judges allow
        ("2.0", "2", True),
        ("2", "2.0", False),  # a whole number is one
        ("1000000", "1000001", False),
        ("1.5 yes", "1.50000001 yes", True),
        ("1.5 yes", "1.50000001 no", False),
        ("1.5", "1.5 1.5", False),
        ("1.5", "nan", False),
        ("1.5", "1.5.0", False),
        ("1.2.3", "1.2.30", False),
        ("inf", "1e999", False),
        ("-0.5", "0.5", False),
        ("1.5", "1.500002", False),
    ],
)
def test_numbers_with_a_decimal_point_may_differ(expected: str, got: str, same: bool) -> None:
    assert same_output(expected, got) is same
    assert same_output(expected, got, tolerance=0) is (expected == got)


def test_the_tests_say_how_far_numbers_may_differ(verifier: CodeVerifier) -> None:
    tests = {"type": "stdin", "cases": [{"input": "1 3", "output": "0.333333333333"}]}
    code = "a, b = map(int, input().split())\nprint('%.{n}f' % (a / b))"
    for digits, tolerance, outcome in (
        (6, None, Outcome.CORRECT),
        (5, None, Outcome.INCORRECT),
        (5, 1e-4, Outcome.CORRECT),
        (6, 0, Outcome.INCORRECT),
        (12, 0, Outcome.CORRECT),
    ):
        asked = tests if tolerance is None else tests | {"tolerance": tolerance}
        text = fenced(code.replace("{n}", str(digits)))
        assert verifier(problem(asked), text).outcome is outcome


def test_long_numbers_are_printed(verifier: CodeVerifier) -> None:
    tests = {"type": "stdin", "cases": [{"input": "9000", "output": f"1{'0' * 9000}"}]}
    assert verifier(problem(tests), fenced("print(10 ** int(input()))")).outcome is Outcome.CORRECT
    assert verifier(problem(tests), fenced("print(10 ** 8999)")).outcome is Outcome.INCORRECT


TOTAL = "class Solution:\n    def total(self, a: List[int]) -> int:\n        return sum(a)"


def test_programs_for_solution_have_leetcodes_imports(verifier: CodeVerifier) -> None:
    cases = [{"args": [[1, 2]], "expected": 3}]
    tests = {"type": "function", "entry_point": "Solution.total", "cases": cases}
    static = TOTAL.replace("    def", "    @staticmethod\n    def").replace("self, ", "")
    assert verifier(problem(tests), fenced(static)).outcome is Outcome.CORRECT
    made = tests | {"entry_point": "Solution().total"}
    assert verifier(problem(made), fenced(TOTAL)).outcome is Outcome.CORRECT
    wrong = TOTAL.replace("sum(a)", "max(a)")
    assert verifier(problem(made), fenced(wrong)).outcome is Outcome.INCORRECT
    check = {
        "type": "check",
        "entry_point": "Solution().total",
        "code": "def check(candidate):\n    assert candidate([1, 2]) == 3",
    }
    assert verifier(problem(check), fenced(TOTAL)).outcome is Outcome.CORRECT


def test_other_programs_have_them_when_asked(sandbox: Counting) -> None:
    plain = CodeVerifier(sandbox)
    given = CodeVerifier(sandbox, conventional_imports=True)
    code = "def f(a: List[int]):\n    return gcd(*a), pow(7, 2, 5), heappop([len(a)])"
    tests = {
        "type": "function",
        "entry_point": "f",
        "cases": [{"args": [[4, 6]], "expected": [2, 4, 2]}],
    }
    assert plain(problem(tests), fenced(code)).outcome is Outcome.INCORRECT
    assert given(problem(tests), fenced(code)).outcome is Outcome.CORRECT
    setup = tests | {"setup": "from typing import *\nfrom math import gcd\nfrom heapq import *"}
    assert plain(problem(setup), fenced(code)).outcome is Outcome.CORRECT


def test_what_is_imported_is_not_what_is_asked_for(sandbox: Counting) -> None:
    """The program has to define it."""
    given = CodeVerifier(sandbox, conventional_imports=True)
    call = {"type": "function", "entry_point": "gcd", "cases": [{"args": [4, 6], "expected": 2}]}
    for tests in (call, {"type": "asserts", "asserts": ["assert gcd(4, 6) == 2"]}):
        found = given(problem(tests), fenced("print"))
        assert found.outcome is Outcome.INCORRECT
        assert "gcd" in found.detail
        for code in (
            "def gcd(a, b): return 2",
            "from math import gcd as g\ngcd = lambda *a: g(*a)",
        ):
            assert given(problem(tests), fenced(code)).outcome is Outcome.CORRECT


def test_the_block_that_defines_what_is_asked_for_is_run(verifier: CodeVerifier) -> None:
    code = (
        fenced("def add(a, b): return a + b") + "prints\n```\n3\n```\n" + fenced("print(add(1, 2))")
    )
    asserts = {"type": "asserts", "asserts": ["assert add(1, 2) == 3"]}
    for tests in (ADD, asserts):
        assert verifier(problem(tests), code).outcome is Outcome.CORRECT
    text = fenced(" a, b = input().split()\nprint(b, a)".strip()) + fenced("print('b a')")
    assert verifier(problem(ECHO), text).outcome is Outcome.CORRECT


def test_answers_may_be_as_long_as_the_expected_ones(verifier: CodeVerifier) -> None:
    """Whatever the limit on a program's output."""
    numbers, text = list(range(200_000)), "0123456789 " * 150_000
    literal = str([[n] for n in range(9_000)])
    for tests, code in (
        ({"type": "function", "entry_point": "f", "cases": [{"args": [1], "expected": numbers}]},
         "def f(n): return list(range(200_000))"),
        ({"type": "stdin", "cases": [{"input": text, "output": text}]}, "print(input())"),
        ({"type": "asserts", "asserts": [f"assert f(2) == {literal}"] * 4},
         "def f(n): return [[i] for i in range(9_000)]"),
        ({"type": "check", "entry_point": "f",
          "code": "def check(f):\n    for n in range(4): assert len(f(n)) == 90_000"},
         "def f(n): return list(range(90_000))"),
    ):  # fmt: skip
        verdict = verifier(problem(tests | {"time_limit_s": 20}), fenced(code))
        assert verdict.outcome is Outcome.CORRECT, verdict


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        (None, r"a\.tests is None"),
        (
            {"type": "magic"},
            r"a\.tests\.type is 'magic': choose one of function, stdin, asserts, check",
        ),
        (ADD | {"entry_point": "a b"}, r"a\.tests\.entry_point"),
        (ADD | {"cases": []}, r"a\.tests\.cases"),
        (ADD | {"cases": [{"args": [1]}]}, r"a\.tests\.cases\[0\]"),
        (ADD | {"cases": [{"args": 1, "expected": 1}]}, r"cases\[0\]\.args is 1"),
        (ADD | {"cases": [{"args": [{1}], "expected": 1}]}, "no JSON value"),
        (ADD | {"time_limit_s": -1}, r"a\.tests\.time_limit_s is -1"),
        (ADD | {"tiem_limit_s": 1}, "unknown key 'tiem_limit_s'"),
        (MBPP | {"asserts": []}, r"a\.tests\.asserts is \[\]: give a list of 1 or more"),
        (MBPP | {"asserts": ["assert f("]}, r"a\.tests\.asserts\[0\] is 'assert f\(': no Python"),
        (
            MBPP | {"setup": "", "asserts": ["assert isclose(half(3), 1.5)"]},
            "isclose may be Python's or the program's; import it in `setup`",
        ),
        (MBPP | {"setup": 3}, r"a\.tests\.setup is 3: give Python source"),
        (SORTS | {"code": "x = 1"}, r"a\.tests\.code is 'x = 1': define check\(candidate\)"),
        (ECHO | {"tolerance": -1}, r"tolerance is -1: give a number from 0 to below 1"),
        (ECHO | {"tolerance": True}, r"tolerance is True"),
        (ADD | {"setup": "1 +"}, r"a\.tests\.setup is '1 \+': no Python source"),
        (ADD | {"tolerance": 1e-3}, "unknown key 'tolerance'"),
        (ECHO | {"cases": [{"input": 1, "output": ""}]}, r"cases\[0\]\.input is 1"),
    ],
)
def test_bad_tests_are_named(tests: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        validate_tests(tests, "a.tests")


def test_good_tests() -> None:
    validate_tests(ADD, "a.tests")
    validate_tests(MBPP, "a.tests")
    validate_tests(LINKED, "a.tests")
    for setup in ("from math import isclose", "from math import *", "def isclose(a, b): ..."):
        validate_tests(
            MBPP | {"setup": setup, "asserts": ["assert isclose(half(3), 1.5)"]}, "a.tests"
        )
    validate_tests(MBPP | {"setup": "", "asserts": ["assert gcd(4, 6) == 2"]}, "a.tests")
    validate_tests(ECHO | {"time_limit_s": 1.5, "memory_mb": 256}, "a.tests")
