"""Verdicts on code: take the program out of a response, run it in the sandbox, compare here.

The expected outputs stay in this process. The program's process gets the inputs only, so
that nothing it reads, patches or prints can tell it what to answer.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from typing import Any

from srpo.sandbox.base import Call, ExecutionResult, Limits, Program, Sandbox, TestCode
from srpo.types import Outcome, Problem, UserError, Verdict, short
from srpo.verifiers.code.blocks import extract_code, fenced_blocks
from srpo.verifiers.code.tests import answer_bytes, same_output, same_value, validate_tests
from srpo.verifiers.once import Once

__all__ = ["CodeVerifier", "extract_code", "fenced_blocks", "validate_tests"]

MAX_CODE_CHARS = 200_000


class CodeVerifier:
    """`(problem, text) -> Verdict` by running the code. Identical programs run once.

    Raises UserError when the problem's tests are not what `tests.py` describes, and
    SandboxError when the sandbox fails. Both say nothing of the response.
    """

    def __init__(
        self, sandbox: Sandbox, limits: Limits | None = None, cache_size: int = 4096
    ) -> None:
        self._sandbox = sandbox
        self._limits = limits or Limits()
        self._once: Once[Verdict] = Once(cache_size)
        # Reading tests costs as much as some runs. What is kept: how many bytes an answer may have.
        self._validated: Once[int] = Once(cache_size)

    def __call__(self, problem: Problem, text: str) -> Verdict:
        where = f"problem {problem.id}"
        if problem.tests is None:
            raise UserError(f"{where}.tests is missing: a code problem needs tests")
        code = extract_code(text)
        if code is None:
            return Verdict(Outcome.INCORRECT, None, "no closed ```python block")
        if len(code) > MAX_CODE_CHARS:
            return Verdict(Outcome.INCORRECT, None, f"code of {len(code)} characters")
        tests = problem.tests
        of_tests = _digest(tests, where)
        of_code = hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
        answer = self._validated.get(of_tests, lambda: _validated(tests, where))
        return self._once.get((of_tests, of_code), lambda: self._run(tests, code, answer))

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

    def _run_function(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        """What went wrong first, or ""."""
        cases = tests["cases"]
        calls = tuple(Call(tuple(c.get("args", ())), c.get("kwargs", {})) for c in cases)

        def accept(index: int, value: Any) -> bool:
            return index < len(cases) and same_value(cases[index]["expected"], value)

        result = self._sandbox.run(Program(code, tests["entry_point"], calls), limits, accept)
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
        for index, case in enumerate(tests["cases"]):
            result = self._sandbox.run(Program(code, stdin=case["input"]), limits)
            if result.status != "ok":
                return f"case {index}: {_failure(result)}"
            if not same_output(case["output"], result.stdout):
                got, expected = short(result.stdout.strip()), short(case["output"].strip())
                return f"case {index}: printed {got}, expected {expected}"
        return ""

    def _run_asserts(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        program = Program(
            code, setup=tests.get("setup", ""), tests=TestCode(tuple(tests["asserts"]))
        )
        return self._run_tested(program, limits)

    def _run_check(self, tests: dict[str, Any], code: str, limits: Limits) -> str:
        setup, source = tests.get("setup", ""), TestCode((tests["code"],))
        program = Program(code, tests["entry_point"], setup=setup, tests=source)
        return self._run_tested(program, limits)

    def _run_tested(self, program: Program, limits: Limits) -> str:
        result = self._sandbox.run(program, limits)
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


def _validated(tests: dict[str, Any], where: str) -> int:
    validate_tests(tests, where)
    return answer_bytes(tests)


def _digest(tests: dict[str, Any], where: str) -> bytes:
    try:
        canonical = json.dumps(tests, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        validate_tests(tests, where)  # it names the field
        raise UserError(f"{where}.tests is no JSON value ({error}): give JSON only") from error
    return hashlib.sha256(canonical.encode()).digest()
