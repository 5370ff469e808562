"""Verdicts on code: take the program out of a response, run it in the sandbox, compare here.

The expected outputs stay in this process. The program's process gets the inputs only, so
that nothing it reads, patches or prints can tell it what to answer.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, replace
from typing import Any

from srpo.sandbox.base import Call, ExecutionResult, Limits, Program, Sandbox, TestCode
from srpo.types import Outcome, Problem, UserError, Verdict, short
from srpo.verifiers.code.blocks import extract_code
from srpo.verifiers.code.tests import (
    STDIN_TOLERANCE,
    answer_bytes,
    asked_names,
    same_output,
    same_value,
    validate_tests,
)
from srpo.verifiers.once import Once

MAX_CODE_CHARS = 200_000


# What the judges of LeetCode import for every program. Nothing that hides one of Python's own.
CONVENTIONAL_IMPORTS = """
import bisect, collections, copy, datetime, functools, heapq, itertools, math, operator, random
import re, statistics, string, sys, time
from bisect import *
from collections import *
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import *
from heapq import *
from itertools import *
from math import ceil, comb, cos, dist, e, exp, fabs, factorial, floor, gcd, hypot, inf, isqrt, lcm
from math import log, log2, log10, perm, pi, prod, sin, sqrt, tan
from operator import add, itemgetter, mul, or_, xor
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, punctuation
from typing import *
try:
    from sortedcontainers import SortedDict, SortedList, SortedSet
except ImportError:
    pass
"""


@dataclass(frozen=True, slots=True)
class _Read:
    """The tests of a problem, and what they come to: how many bytes an answer may have, and the
    names that a program has to define."""

    tests: dict[str, Any]
    digest: bytes
    answer: int
    names: frozenset[str]


class CodeVerifier:
    """`(problem, text) -> Verdict` by running the code. Identical programs of responses run once.

    conventional_imports   whether every program begins with CONVENTIONAL_IMPORTS. Those for a class
                           `Solution`, as LeetCode has them, always do

    Raises UserError when the problem's tests are not what `tests.py` describes, and
    SandboxError when the sandbox fails. Both say nothing of the response.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        limits: Limits | None = None,
        cache_size: int = 4096,
        conventional_imports: bool = False,
    ) -> None:
        self.sandbox = sandbox
        self._limits = limits or Limits()
        self._conventional_imports = conventional_imports
        self._once: Once[Verdict] = Once(cache_size)
        # Reading tests costs as much as some runs.
        self._validated: Once[_Read] = Once(cache_size)

    def __call__(self, problem: Problem, text: str) -> Verdict:
        read = self._read(problem)
        code = extract_code(text, read.names, reads=read.tests["type"] == "stdin")
        if code is None:
            return Verdict(Outcome.INCORRECT, None, "no closed ```python block")
        return self._verdict(read, code)

    def run_program(self, problem: Problem, code: str) -> Verdict:
        """The same for a program without a text around it. It is run, whatever was found before:
        whoever runs a reference twice wants to know whether it passes twice."""
        return self._verdict(self._read(problem), code, remember=False)

    def _read(self, problem: Problem) -> _Read:
        tests, where = problem.tests, f"problem {problem.id}"
        if tests is None:
            raise UserError(f"{where}.tests is missing: a code problem needs tests")
        digest = _digest(tests, where)
        return self._validated.get(digest, lambda: _validated(tests, digest, where))

    def _verdict(self, read: _Read, code: str, remember: bool = True) -> Verdict:
        if len(code) > MAX_CODE_CHARS:
            return Verdict(Outcome.INCORRECT, None, f"code of {len(code)} characters")
        if not remember:
            return self._run(read.tests, code, read.answer)
        of_code = hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
        return self._once.get(
            (read.digest, of_code), lambda: self._run(read.tests, code, read.answer)
        )

    def close(self) -> None:
        """End the sandbox."""
        self.sandbox.close()

    def _run(self, tests: dict[str, Any], code: str, answer: int) -> Verdict:
        limits = replace(
            self._limits,
            time_s=tests.get("time_limit_s", self._limits.time_s),
            memory_mb=int(tests.get("memory_mb", self._limits.memory_mb)),
            output_bytes=max(self._limits.output_bytes, answer),
        )
        start = time.perf_counter()
        failure = getattr(self, f"_run_{tests['type']}")(tests, code, limits)
        seconds = time.perf_counter() - start
        if failure:
            return Verdict(Outcome.INCORRECT, code, failure, seconds)
        return Verdict(Outcome.CORRECT, code, _passed(tests), seconds)

    def _program(self, tests: dict[str, Any], code: str) -> Program:
        on_leetcode = re.match(r"Solution\b", tests.get("entry_point", ""))
        judged = self._conventional_imports or on_leetcode
        imports = CONVENTIONAL_IMPORTS if judged else ""
        return Program(code, setup=tests.get("setup", ""), imports=imports)

    def _run_function(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        """What went wrong first, or ""."""
        cases = tests["cases"]
        calls = tuple(Call(tuple(c.get("args", ())), c.get("kwargs", {})) for c in cases)

        def accept(index: int, value: Any) -> bool:
            return index < len(cases) and same_value(cases[index]["expected"], value)

        program = replace(self._program(tests, code), entry_point=tests["entry_point"], calls=calls)
        result = self.sandbox.run(program, limits, accept)
        for index, (case, value) in enumerate(zip(cases, result.values, strict=False)):
            if not accept(index, value):
                return f"case {index}: got {short(value)}, expected {short(case['expected'])}"
        if result.status != "ok":
            known_case = result.status in ("exception", "memory") and result.values
            case = f"case {len(result.values)}: " if known_case else ""
            return f"{case}{_failure(result)}"
        if len(result.values) != len(cases):
            return f"{len(result.values)} values for {len(cases)} cases"
        return ""

    def _run_stdin(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        program, tolerance = self._program(tests, code), tests.get("tolerance", STDIN_TOLERANCE)
        for index, case in enumerate(tests["cases"]):
            result = self.sandbox.run(replace(program, stdin=case["input"]), limits)
            if result.status != "ok":
                return f"case {index}: {_failure(result)}"
            if not same_output(case["output"], result.stdout, tolerance):
                got, expected = short(result.stdout.strip()), short(case["output"].strip())
                return f"case {index}: printed {got}, expected {expected}"
        return ""

    def _run_asserts(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        program = replace(self._program(tests, code), tests=TestCode(tuple(tests["asserts"])))
        return self._run_tested(program, limits)

    def _run_check(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        program = replace(self._program(tests, code), entry_point=tests["entry_point"])
        return self._run_tested(replace(program, tests=TestCode((tests["code"],))), limits)

    def _run_tested(self, program: Program, limits: Limits) -> str:
        result = self.sandbox.run(program, limits)
        if result.status == "broken":
            raise UserError(f"the problem's tests fail by themselves: {result.detail}")
        return "" if result.status == "ok" else _failure(result)


def _passed(tests: dict[str, Any]) -> str:
    if tests["type"] == "check":
        return "check passed"
    what = "asserts" if tests["type"] == "asserts" else "cases"
    return f"{len(tests[what])} {what} passed"


def _failure(result: ExecutionResult) -> str:
    told = result.status in ("exception", "failed")
    return result.detail if told else f"{result.status}: {result.detail}"


def _validated(tests: dict[str, Any], digest: bytes, where: str) -> _Read:
    validate_tests(tests, f"{where}.tests")
    return _Read(tests, digest, answer_bytes(tests), asked_names(tests))


def _digest(tests: dict[str, Any], where: str) -> bytes:
    try:
        canonical = json.dumps(tests, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        validate_tests(tests, f"{where}.tests")  # it names the field
        raise UserError(f"{where}.tests is no JSON value ({error}): give JSON only") from error
    return hashlib.sha256(canonical.encode()).digest()
