"""What LiveCodeBench's judge makes of a program, computed in our sandbox.

Its verdicts differ from ours (`srpo.verifiers.code`) where it runs programs in a way of its own: as
the body of a function, with a standard input that is no file, and with other rules for which
outputs are the same. docs/evaluation.md lists the ways. What is expected stays in this
process, here too: nothing that a program does can make a wrong answer a right one.

https://github.com/LiveCodeBench/LiveCodeBench, lcb_runner/evaluation/testing_util.py
"""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any, Literal

from srpo.evaluation.graders.lcb_compare import output_fault, same_value
from srpo.sandbox.base import BOUNDS, Call, ExecutionResult, Limits, Program, Sandbox
from srpo.types import Outcome, Problem, UserError, Verdict, short
from srpo.verifiers.code.tests import validate_tests

Edition = Literal["2025-01", "2025-05"]
EDITIONS: tuple[Edition, ...] = ("2025-01", "2025-05")
LIMITS = Limits(time_s=6.0, memory_mb=4096)
FENCE = "```"


class LcbVerifier:
    """`(problem, text) -> Verdict` as LiveCodeBench's judge says it. Tests are `stdin` or
    `function` tests; their `setup`, `tolerance` and limits are not looked at, since the judge has
    none of them.

    limits    for the seconds of each test (6 there), and the memory, which there has no limit
    edition   the judge as it was in January 2025, whose verdicts the leaderboard shows up to its
              release v5, or since May 2025, when standard input got a stand-in with a buffer

    Raises UserError for tests of other kinds, and SandboxError when the sandbox fails.
    """

    def __init__(
        self, sandbox: Sandbox, limits: Limits = LIMITS, edition: Edition = "2025-01"
    ) -> None:
        if edition not in EDITIONS:
            raise UserError(f"edition is {edition!r}: choose one of {', '.join(EDITIONS)}")
        self.sandbox = sandbox
        self._limits, self._edition = limits, edition

    def __call__(self, problem: Problem, text: str) -> Verdict:
        return self.run_program(problem, last_block(text))

    def run_program(self, problem: Problem, code: str) -> Verdict:
        """The same for a program without a text around it."""
        tests = _checked(problem)
        start = time.perf_counter()
        why = self._run(tests, code)
        seconds = time.perf_counter() - start
        outcome = Outcome.INCORRECT if why else Outcome.CORRECT
        return Verdict(outcome, code, why or f"{len(tests['cases'])} cases passed", seconds)

    def close(self) -> None:
        """End the sandbox."""
        self.sandbox.close()

    def _run(self, tests: dict[str, Any], code: str) -> str:
        """What went wrong first, or ""."""
        cases = tests["cases"]

        def accept(index: int, value: Any) -> bool:
            return index <= len(cases) and not fault(tests, index, value)

        result = self.sandbox.run(self._program(tests, code), self._limits_for(tests), accept)
        for index, value in enumerate(result.values[: len(cases) + 1]):
            if why := fault(tests, index, value):
                return why
        return "" if len(result.values) > len(cases) else _ended(result)

    def _program(self, tests: dict[str, Any], code: str) -> Program:
        reads = tests["type"] == "stdin"
        name = None if reads else tests["entry_point"].rpartition(".")[2]
        first = {"code": code, "method": name, "seconds": self._limits.time_s}
        jobs: list[Any] = [first | {"edition": self._edition}]
        for case in tests["cases"]:
            jobs.append({"stdin": case["input"]} if reads else {"args": case.get("args", [])})
        return Program(driver(), "Session().step", tuple(Call((job,)) for job in jobs))

    def _limits_for(self, tests: dict[str, Any]) -> Limits:
        """Of all tests together: a second more for each and five for the start, as there; and room
        for outputs that say the same at more length."""
        limits, cases = self._limits, tests["cases"]
        output = "output" if tests["type"] == "stdin" else "expected"
        size = sum(len(json.dumps(case[output])) for case in cases)
        return Limits(
            time_s=min(BOUNDS["time_s"][1], (limits.time_s + 1) * len(cases) + 5),
            memory_mb=limits.memory_mb,
            output_bytes=min(BOUNDS["output_bytes"][1], limits.output_bytes + 8 * size),
            scratch_mb=limits.scratch_mb,
        )


def last_block(text: str) -> str:
    """The program in a response: the lines between the last two that have a fence somewhere, be it
    the end of one block and the start of the next. "" where there are not two: that is run too."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if FENCE in line]
    return "\n".join(lines[fences[-2] + 1 : fences[-1]]) if len(fences) > 1 else ""


def fault(tests: dict[str, Any], index: int, reply: Any) -> str:
    """What a reply of `lcb_inside.Session` says that is wrong, "" when it passes. The first one is
    that of loading; replies are hostile."""
    if not isinstance(reply, dict):
        return "test runner error: its reply cannot be read"
    if "failed" in reply:
        where = f"case {index - 1}: " if index else ""
        words = " ".join(str(reply.get("why"))[:200].split())
        return f"{where}{str(reply['failed'])[:40]}: {words}"
    if index == 0:
        return ""
    case, where = tests["cases"][index - 1], f"case {index - 1}: wrong answer"
    if tests["type"] == "stdin":
        got = reply.get("printed")
        why = output_fault(case["output"], got) if isinstance(got, str) else "no output"
        return f"{where}: {why}" if why else ""
    if "returned" in reply and same_value(case["expected"], reply["returned"]):
        return ""
    got, expected = short(reply.get("returned")), short(case["expected"])
    return f"{where}: got {got}, expected {expected}"


def _ended(result: ExecutionResult) -> str:
    """How a process ended before all its tests had."""
    case = f"case {len(result.values) - 1}: " if result.values else ""
    kind = "time limit exceeded" if result.status == "timeout" else "test runner error"
    return f"{case}{kind}: {result.detail or result.status}"


def _checked(problem: Problem) -> dict[str, Any]:
    tests, where = problem.tests, f"problem {problem.id}.tests"
    if tests is None:
        raise UserError(f"{where} is missing: a code problem needs tests")
    validate_tests(tests, where)
    if tests["type"] not in ("stdin", "function"):
        raise UserError(
            f"{where}.type is {tests['type']!r}: lcb-compatible grades stdin and function tests;"
            " grade this one with `process`"
        )
    if any(case.get("kwargs") for case in tests["cases"]):
        raise UserError(f"{where}.cases have kwargs: lcb-compatible calls by position; use args")
    return tests


@cache
def driver() -> str:
    """The source of what runs around a program."""
    return Path(__file__).with_name("lcb_inside.py").read_text(encoding="utf-8")
