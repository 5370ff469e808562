"""Whose names tests use: what the program is asked for, and what it never gets to define."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.adversarial_forgeries import BORROWED, BORROWED_BY_CHECKS, SEVEN
from srpo.sandbox.base import Limits, Sandbox
from srpo.sandbox.inside.names import owners, read_sources
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.types import Outcome, Problem, UserError, Verdict
from srpo.verifiers.code.names import library
from srpo.verifiers.code.tests import validate_tests
from srpo.verifiers.code.verifier import CodeVerifier

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own


@pytest.fixture(scope="module")
def verifier() -> Iterator[CodeVerifier]:
    box: Sandbox = open_sandbox(MECHANISM, 1)
    yield CodeVerifier(box, Limits(time_s=5.0))
    box.close()


def asserts(setup: str, *sources: str) -> dict[str, Any]:
    return {"type": "asserts", "setup": setup, "asserts": list(sources)}


def verdict(verifier: CodeVerifier, tests: dict[str, Any], code: str) -> Verdict | None:
    """None when the tests are refused."""
    try:
        validate_tests(tests, "p.tests")
    except UserError:
        return None
    return verifier(Problem("p", "code", "Write f.", tests=tests), f"```python\n{code}\n```\n")


def check_borrowed(verifier: CodeVerifier, tests: dict[str, Any], forged: str, honest: str) -> None:
    """Refused, or else the forgery is wrong and the honest program right; "?": none can be."""
    if honest == "?":
        with pytest.raises(UserError, match="fail by themselves"):
            verdict(verifier, tests, forged)
        return
    found = verdict(verifier, tests, forged)
    assert (found is None) == (not honest)
    if found is not None:
        assert found.outcome is Outcome.INCORRECT, found
    if honest:
        found = verdict(verifier, tests, honest)
        assert found is not None
        assert found.outcome is Outcome.CORRECT, found


@pytest.mark.parametrize("name", BORROWED)
def test_no_program_defines_what_tests_mean(verifier: CodeVerifier, name: str) -> None:
    setup, sources, forged, honest = BORROWED[name]
    check_borrowed(verifier, asserts(setup, *sources), SEVEN + forged, honest)


@pytest.mark.parametrize("name", BORROWED_BY_CHECKS)
def test_no_program_defines_what_a_check_means(verifier: CodeVerifier, name: str) -> None:
    entry_point, setup, code, forged, honest = BORROWED_BY_CHECKS[name]
    tests = {"type": "check", "entry_point": entry_point, "setup": setup, "code": code}
    check_borrowed(verifier, tests, forged, honest)


def test_there_are_enough_of_them() -> None:
    assert len(BORROWED) + len(BORROWED_BY_CHECKS) >= 60


@pytest.mark.parametrize(
    ("setup", "sources", "program", "modules"),
    [
        ("", ["assert f(1) == 2"], "f", ""),
        ("", ["assert gcd(4, 6) == 2", "assert gcd(1, 2) == 1"], "gcd", ""),
        ("", ["assert sum(10, 15) == 6"], "sum", ""),
        ("", ["assert sum([f(1)]) == 6"], "f", ""),
        ("", ["assert add(1, 2) == 3", "assert mul(1, 2) == 2"], "add mul", ""),
        ("", ["assert list(map(gcd, [4], [6])) == [2]"], "gcd", ""),
        ("", ["assert decode(encode('a')) == 'a'"], "decode encode", ""),
        ("", ["assert math.isclose(gcd(4, 6), 2)"], "gcd", "math"),
        ("import math", ["assert math.isclose(f(4), 2)"], "f", ""),
        ("root = Node(1)", ["assert value(root) == 1"], "Node value", ""),
        ("f = cached(f)", ["assert f(1) == 1"], "f cached", ""),
        ("total += f(1)", ["assert total == 1"], "f total", ""),
        ("", ["s = Solution()\nassert s.f(2) == 1", "assert s.g() == 5"], "Solution", ""),
        ("", ["for pi in f(1): assert pi == 1"], "f", ""),
        ("", ["assert [pi for pi in f(1)] == [1]"], "f", ""),
        ("", ["assert (lambda date: date)(f(1)) == 1"], "f", ""),
        ("", ["assert (e := f(1)) == 1 and e"], "f", ""),
        ("def near(a, b, *, tol=1): return abs(a - b) < tol", ["assert near(f(1), 1)"], "f", ""),
        ("class Path:\n    x = 1", ["assert f(1) == Path.x"], "f", ""),
        ("", ["try: f(1)\nexcept ValueError as e: assert str(e)"], "f", ""),
        ("", ["import json\nassert json.dumps(f(1)) == '1'"], "f", ""),
        ("", ["import math as m; x = m.pi; assert f(1) == x"], "f", ""),
        ("", ["@f\ndef g(): pass\nassert g == 1"], "f", ""),
        ("def g(x: f = f): return f(x)", ["assert g() == 1"], "f", ""),
        (
            "from __future__ import annotations\ndef g(x: List) -> Any: ...",
            ["assert f(g)"],
            "f",
            "",
        ),
        ("", ["x = 1; y = f(x); assert x == y"], "f", ""),
        ("x = '''a;\r\nb'''\r\ny = x\r\n", ["assert f(y)"], "f", ""),
        ("", ["assert eval('f(1) == 2')"], "f", ""),
        ("", ["assert globals()['f'](1) == 2"], "f", ""),
        ("", ["assert __name__ != f(1)"], "f", ""),
    ],
)
def test_owners(setup: str, sources: list[str], program: str, modules: str) -> None:
    first, rest = read_sources(setup, sources)
    whose = owners(first, rest)
    assert whose.program == set(program.split())
    assert whose.modules == set(modules.split())
    validate_tests(asserts(setup, *sources), "p.tests")


# How a test may use a name; {0} is its place.
USES = [
    "assert f(1) == {0}",
    "assert f(1) == {0}(2)",
    "assert [{0}(x) for x in f(1)]",
    "assert [x for x in {0} if f(x)]",
    "assert list(map({0}, f(1)))",
    "assert (lambda x={0}: f(x))()",
    "assert (lambda x: f(x) - {0})(1)",
    "assert f({0}=1) == {0}",
    "assert f'{{f(1)}} {{{0}}}'",
    "assert f(*{0})",
    "assert f(1)[{0}:]",
    "with {0}(): assert f(1)",
    "try: f(1)\nexcept {0}: pass",
    "for x in f({0}): assert x",
    "def g(a={0}): return a\nassert f(g())",
    "def g():\n    def h(): return {0}\n    return h\nassert f(g())",
    "@{0}\ndef g(): pass\nassert f(g)",
    "class A({0}): pass\nassert f(A)",
    "class A:\n    x: int = {0}\nassert f(A)",
    "assert f(1) if {0} else 2",
    "x = {0}\nassert f(x)",
    "x = y = {0}(2)",
    "assert (x := {0}) == f(1)",
    "del x[{0}]; assert f(1)",
    "assert {0}.real == f(1)",
    "assert {0}.a.b(f(1))",
    "assert f(1) == 2, {0}",
    "assert eval('{0}') == f(1)",
    "global {0}\nassert f({0})",
]
# And how it may be its own.
OWN = [
    "assert [{0} for {0} in f(1)]",
    "assert (lambda {0}: f({0}))(1)",
    "for {0} in f(1): assert {0}",
    "def g({0}): return {0}\nassert f(g(1))",
    "def {0}(): return 1\nassert f({0}())",
    "class {0}: x = 1\nassert f({0}.x)",
    "{0} = f(1)\nassert {0}",
    "with open(f(1)) as {0}: assert {0}",
    "try: f(1)\nexcept ValueError as {0}: assert {0}",
    "assert ({0} := f(1)) == {0}",
    "import m.x as {0}\nassert f({0})",
    "from m import x as {0}\nassert f({0})",
    "match f(1):\n    case [{0}]: assert {0}",
]
LIBRARYS = st.sampled_from(sorted(library()))


@given(LIBRARYS, st.sampled_from(USES), st.booleans())
def test_the_librarys_names_are_refused_wherever_they_are_used(name: str, use: str, in_setup: bool):
    source = use.format(name)
    tests = asserts(source, "assert f(2)") if in_setup else asserts("", source, "assert f(2)")
    with pytest.raises(UserError, match=rf"^p\.tests\.\S+ is .*: {name} may be "):
        validate_tests(tests, "p.tests")
    validate_tests(asserts(f"from somewhere import {name}", *tests["asserts"]), "p.tests")


@given(LIBRARYS, st.sampled_from(OWN))
def test_names_that_tests_bind_are_theirs(name: str, use: str) -> None:
    validate_tests(asserts("", use.format(name), "assert f(2)"), "p.tests")


@given(LIBRARYS)
def test_a_name_alone_is_what_is_tested(name: str) -> None:
    validate_tests(asserts("", f"assert {name}(1) == 2", f"assert {name}(2) == [3]"), "p.tests")
    validate_tests(asserts("", f"assert {name}(1) == 2", "assert other(2) == 3"), "p.tests")
    with pytest.raises(UserError, match=f"{name} may be"):
        validate_tests(
            asserts("", f"assert {name}(1) == 2", f"assert other(2) == {name}(1)"), "p.tests"
        )


@pytest.mark.parametrize(
    ("module", "good"),
    [
        ("math.pi", True),
        ("datetime.date", True),
        ("os.path.sep", True),
        ("collections.abc.Sized", True),
        ("queue.Queue", True),
        ("datetime.now", False),
        ("math.nothing", False),
        ("queue.put", False),
        ("unittest.mock", False),
        ("urllib.parse", False),
        ("this.s", False),
        ("antigravity.webbrowser", False),
    ],
)
def test_a_module_before_a_dot_is_the_librarys(module: str, good: bool) -> None:
    tests = asserts("", f"assert f(1) == {module}")
    if good:
        validate_tests(tests, "p.tests")
    else:
        with pytest.raises(UserError, match=f"{module.split('.')[0]} may be the library's module"):
            validate_tests(tests, "p.tests")


def test_the_library_has_what_tests_use() -> None:
    names = (
        "pi inf nan e tau gcd isclose sqrt date datetime timedelta Path loads dumps Counter deque"
        " defaultdict namedtuple OrderedDict reduce partial itemgetter product permutations chain"
        " Decimal Fraction mean median StringIO sha256 b64encode uuid4 digits ascii_lowercase"
        " randint sleep perf_counter deepcopy dataclass Enum List Optional maxsize urlparse np"
    )
    assert set(names.split()) <= library()
    assert not {"f", "x", "Node", "Point", "Stack", "Queue", "Task", "Solution", "A"} & library()
    assert set(dir(math)) - {"pow"} - {n for n in dir(math) if n.startswith("_")} <= library()


@pytest.mark.parametrize("how", ["globals()['f']", "globals().get('f').__name__", "vars()['f']"])
def test_a_setup_that_looks_the_program_up_blames_the_program(
    verifier: CodeVerifier, how: str
) -> None:
    for sources in (["assert f(1) == 2"], ["assert g"]):
        tests = asserts(f"g = {how}\n", *sources)
        found = verdict(verifier, tests, "def h(n): return 2")
        assert found is not None
        assert found.outcome is Outcome.INCORRECT, found
    tests = asserts("g = globals()['f']", "assert g(1) == 2")
    found = verdict(verifier, tests, "def f(n): return 2")
    assert found is not None
    assert found.outcome is Outcome.CORRECT, found


def test_a_name_that_nobody_defines_is_no_verdict(verifier: CodeVerifier) -> None:
    """In a check it is not the program's to define."""
    for setup, code in (
        ("", "def check(candidate): assert isclose(candidate(2), 2.0)"),
        (
            "def near(a, b): return isclose(a, b)",
            "def check(candidate): assert near(candidate(1), 1)",
        ),
        ("root = Node(1)", "def check(candidate): assert candidate(root)"),
    ):
        tests = {"type": "check", "entry_point": "f", "setup": setup, "code": code}
        with pytest.raises(UserError, match="the problem's tests fail by themselves"):
            verdict(verifier, tests, "Node = isclose = f = lambda *n: 2")
    tests |= {"setup": "", "code": "def check(candidate): assert candidate(1) == 2"}
    found = verdict(verifier, tests, "def f(n): return undefined")
    assert found is not None
    assert found.outcome is Outcome.INCORRECT


class Litter:
    """Garbage whose collection lets other threads run, in the middle of whatever collects it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(200))


def test_threads_may_read_tests_side_by_side() -> None:
    """Python 3.11's `ast.parse` fails where threads take turns in it: in a quarter of these."""
    tests = asserts("", f"assert f(1) == {[[1, [2, [3]]]] * 300}")
    errors: list[BaseException] = []

    def read(_: int) -> None:
        for _ in range(50):
            Litter()
        try:
            validate_tests(tests, "p.tests")
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(read, range(40)))
    finally:
        sys.setswitchinterval(interval)
    assert not errors


def test_every_run_draws_the_same_numbers(verifier: CodeVerifier) -> None:
    """Servers seed Python's generator once: a program's answer does not change by itself."""
    code = "import random\nprint(random.random())"
    outputs = set()
    for n in range(3):
        tests = {"type": "stdin", "cases": [{"input": "", "output": "x"}]}
        found = verdict(verifier, tests, f"{code} # {n}")
        assert found is not None
        outputs.add(found.detail)
    assert len(outputs) == 1
