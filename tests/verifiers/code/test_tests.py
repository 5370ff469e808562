"""Every field of a problem's tests: what is good arrives, and what is not is named when it is read."""

# ruff: noqa: E501 (a row a line)
from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.recipe.schema import VerifierConfig
from srpo.sandbox.base import Limits, Sandbox
from srpo.sandbox.mechanisms import available, open_sandbox
from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.code.tests import BOUNDS, validate_tests
from srpo.verifiers.code.verifier import CodeVerifier

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own
CALLS = {"type": "function", "entry_point": "f", "cases": [{"args": [1], "expected": 2}]}
ECHO = {"type": "stdin", "cases": [{"input": "a b\n", "output": "b a\n"}]}
MBPP = {"type": "asserts", "setup": "import math", "asserts": ["assert math.isclose(f(3), 1.5)"]}


@pytest.fixture(scope="module")
def verifier() -> Iterator[CodeVerifier]:
    box: Sandbox = open_sandbox(MECHANISM, 1)
    yield CodeVerifier(box, Limits(time_s=5.0))
    box.close()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (10**4299 + 7, "def f(x): return x"),
        (nested(99), "def f(x): return x"),
        ({"a": nested(98)}, "def f(x): return dict(x)"),
        ([math.nan, math.inf, -math.inf, 1e-320], "def f(x): return x"),
        (["\U0001f600", "\x00", "\u2028", "\x7f"], "def f(x): return x"),
        ({1: 2}, "def f(x): return {int(k): v for k, v in x.items()}"),
    ],
    ids=["long", "deep", "deep object", "not finite", "characters", "keys"],
)
def test_every_value_that_is_not_refused_arrives(
    verifier: CodeVerifier, value: Any, code: str
) -> None:
    cases = [{"args": [value], "expected": value}]
    tests = {"type": "function", "entry_point": "f", "cases": cases}
    problem = Problem("p", "code", "Write f.", tests=tests)
    verdict = verifier(problem, f"```python\n{code}\n```\n")
    assert verdict.outcome is Outcome.CORRECT, verdict


def call(**fields: Any) -> dict[str, Any]:
    return CALLS | {"cases": [{"args": [1], "expected": 2} | fields]}


def check(code: str) -> dict[str, Any]:
    return {"type": "check", "entry_point": "f", "code": code}


BAD: list[tuple[Any, str]] = [
    ([], r"a\.tests is \[\]"),
    ({}, r"a\.tests\.type is None"),
    ({"type": ["stdin"]}, r"a\.tests\.type is \['stdin'\]: choose one of"),
    ({"type": {"a": 1}}, r"a\.tests\.type is \{'a': 1\}"),
    (CALLS | {3: 4, "x": 5}, "unknown key 'x'"),
    (CALLS | {"memory_mb": 63}, r"memory_mb is 63: give a number from 64 to"),
    (CALLS | {"memory_mb": 10**15}, r"memory_mb is 1000000000000000: give a number from 64"),
    (CALLS | {"memory_mb": 1e12}, r"memory_mb is 1000000000000\.0"),
    (CALLS | {"memory_mb": 10**5000}, r"memory_mb is a int that cannot be shown"),
    (CALLS | {"memory_mb": True}, r"memory_mb is True"),
    (CALLS | {"memory_mb": "512"}, r"memory_mb is '512'"),
    (CALLS | {"memory_mb": None}, r"memory_mb is None"),
    (CALLS | {"time_limit_s": 1e19}, r"time_limit_s is 1e\+19: give a number from 0.01 to 86400"),
    (CALLS | {"time_limit_s": 1e-9}, r"time_limit_s is 1e-09"),
    (CALLS | {"time_limit_s": math.nan}, r"time_limit_s is nan"),
    (CALLS | {"time_limit_s": math.inf}, r"time_limit_s is inf"),
    (CALLS | {"time_limit_s": [1]}, r"time_limit_s is \[1\]"),
    *((CALLS | {"entry_point": name}, r"a\.tests\.entry_point is") for name in (
        "", "class", "None", "a.b.c", "1a", "a()()", "f\n", "\ufb01", "\u00b2", "f.", ".f", 7, None,
        ["f"], "x" * 99 + " ", "\ud800",
    )),
    (CALLS | {"cases": {"args": [1]}}, r"a\.tests\.cases is \{"),
    (CALLS | {"cases": "abc"}, r"a\.tests\.cases is 'abc'"),
    (CALLS | {"cases": [None]}, r"cases\[0\] is None: give 'args' and 'expected'"),
    (call(arg=[1]), r"cases\[0\] has an unknown key 'arg': known are args, expected, kwargs"),
    (call(kwargs=[1]), r"cases\[0\]\.kwargs is \[1\]"),
    (call(kwargs={1: 2}), r"cases\[0\]\.kwargs is \{1: 2\}: give an object, whose keys are texts"),
    (call(args=[10**4300]), r"cases\[0\]\.args\[0\] has more than 4300 digits"),
    (call(expected=[[-(10**9999)]]), r"cases\[0\]\.expected\[0\]\[0\] has more than 4300 digits"),
    (call(expected=nested(101)), r"cases\[0\]\.expected.*nested deeper than 100"),
    (call(expected=nested(100_000)), r"cases\[0\]\.expected.*nested deeper than 100"),
    (call(args=["\ud800"]), r"cases\[0\]\.args\[0\] has a lone surrogate \('.ud800'\)"),
    (call(kwargs={"a": ["x\udfff"]}), r"\.kwargs\['a'\]\[0\] has a lone surrogate"),
    (call(kwargs={"\ud800": 1}), r"\.kwargs has a key that has a lone surrogate"),
    (call(expected={"k": {"\udc80": 1}}), r"\.expected\['k'\] has a key that has a lone surrogate"),
    (call(expected={1.5: 2}), r"\.expected has the key 1\.5: JSON's keys are texts"),
    (call(expected={1: 2, "1": 3}), r"\.expected has the same key as a text and as a number"),
    (call(expected=b"x"), r"\.expected is b'x': no JSON value"),
    (call(expected="x" * (1 << 24)), r"a\.tests\.cases has more than 16777216 characters"),
    (ECHO | {"cases": [{"input": "\ud800", "output": ""}]}, r"cases\[0\]\.input has a lone surr"),
    (ECHO | {"cases": [{"input": "", "output": "a\udc80"}]}, r"\.output has a lone .* 2 of 2"),
    (ECHO | {"cases": [{"input": "", "output": "x" * (1 << 25)}]}, r"\.output has 33554432 char"),
    (ECHO | {"cases": [{"input": ""}]}, r"cases\[0\] is \{'input': ''\}: give 'input' and 'output'"),
    (MBPP | {"setup": "x = '\ud800'"}, r"a\.tests\.setup has a lone surrogate"),
    (MBPP | {"asserts": ["assert f('\ud800')"]}, r"asserts\[0\] has a lone surrogate"),
    (MBPP | {"asserts": ["return f(1)"]}, r"asserts\[0\] is 'return f\(1\)': no Python source"),
    (MBPP | {"asserts": ["x = '\0'"]}, r"asserts\[0\] is .*: no Python source"),
    (MBPP | {"asserts": [["assert f(1)"]]}, r"asserts\[0\] is \['assert f\(1\)'\]: give Python"),
    (MBPP | {"asserts": "assert f(1)"}, r"a\.tests\.asserts is 'assert f\(1\)': give a list"),
    (MBPP | {"asserts": ["assert f(" + "[" * 9999]}, r"asserts\[0\] is .*: no Python source"),
    (MBPP | {"asserts": ["assert f(1) ==" + "-" * 9999 + "1"]}, r"asserts\[0\] is .*: no Python"),
    (MBPP | {"asserts": [f"assert f(1) == {'9' * 5000}"]}, r"asserts\[0\] is .*4300 digits"),
    (MBPP | {"asserts": ["assert f(1)  # " + "x" * (1 << 20)]}, r"asserts\[0\] has \d+ characters"),
    (MBPP | {"asserts": ["assert f(1)  #" + "x" * 70_000] * 15}, "of source: split the tests"),
    (check("def check(): pass"), r"a\.tests\.code is .*: define check\(candidate\)"),
    (check("def check(a, b): pass"), r"a\.tests\.code is .*: define check\(candidate\)"),
    (check("def check(a, *, b): pass"), r"a\.tests\.code is .*: define check\(candidate\)"),
    (check("def check(f):\n    yield"), r"a\.tests\.code is .*without yield"),
    (check("async def check(f): pass"), r"a\.tests\.code is .*: define check\(candidate\)"),
    (check("class check: pass"), r"a\.tests\.code is .*: define check\(candidate\)"),
    (check("def check(f): pass") | {"code": None}, r"a\.tests\.code is None: give Python source"),
]  # fmt: skip


@pytest.mark.parametrize(("tests", "words"), BAD)
def test_what_is_not_good_is_named(tests: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        validate_tests(tests, "a.tests")
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_what_a_recipe_allows_is_allowed_everywhere() -> None:
    for name, (low, high) in BOUNDS.items():
        field = VerifierConfig.model_fields[name].metadata
        least, most = (next(getattr(m, k) for m in field if hasattr(m, k)) for k in ("ge", "le"))
        assert low <= least < most <= high
        for good in (least, most):
            assert getattr(VerifierConfig.model_validate({name: good}), name) == good
        for bad in (least * 0.99, most + 1, math.nan, math.inf):
            with pytest.raises(ValueError, match=name):
                VerifierConfig.model_validate({name: bad})


def test_good_checks() -> None:
    for head in ("check(f)", "check(f, /)", "check(f, n=1)", "check(*f)", "check(f=None, **kw)"):
        validate_tests(check(f"def {head}: assert f(1)"), "a.tests")
    validate_tests(check("def check(): pass\ndef check(f): assert f(1)"), "a.tests")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WELL = {
    "function": CALLS,
    "stdin": ECHO,
    "asserts": MBPP,
    "check": check("def check(f): assert f(1)"),
}


@given(st.sampled_from(sorted(WELL)), st.data())
def test_tests_with_any_field_are_good_or_refused(kind: str, data: st.DataObject) -> None:
    """Never anything else: a traceback would end the training that reads them."""
    tests = copy.deepcopy(WELL[kind])
    places: list[Any] = [tests]
    for place in places:
        places += [v for v in (place.values() if isinstance(place, dict) else place)
                   if isinstance(v, dict | list)]  # fmt: skip
    place = data.draw(st.sampled_from(places))
    key = data.draw(
        st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
    )
    place[key] = data.draw(JSON)
    with suppress(UserError):
        validate_tests(tests, "a.tests")
