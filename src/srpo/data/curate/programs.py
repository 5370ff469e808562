"""What running programs says of a code problem: its reference passes, and trivial ones do not."""

from __future__ import annotations

import ast
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

from srpo.data.candidate import Candidate
from srpo.data.curate.judged import NOT_VERIFIED
from srpo.types import Outcome, Problem, Verdict
from srpo.verifiers.code.source import parsed
from srpo.verifiers.code.tests import asked_names
from srpo.verifiers.pool import VerifierPool

Found = tuple[str, str]  # reason, "" where the row may stay, and evidence or a note
AHEAD = 4  # rows under way for each worker


def try_programs(
    pool: VerifierPool, candidates: Iterable[Candidate]
) -> Iterator[tuple[str, Found]]:
    """Each row's id with what its programs show, in order."""
    waiting: deque[tuple[str, Callable[[], Found]]] = deque()
    for candidate in candidates:
        waiting.append((candidate.id, _begin(pool, candidate)))
        if len(waiting) >= AHEAD * pool.workers:
            id_, result = waiting.popleft()
            yield id_, result()
    for id_, result in waiting:
        yield id_, result()


def _begin(pool: VerifierPool, c: Candidate) -> Callable[[], Found]:
    """Everything is begun at once; the reference's second run only after its first."""
    problem = c.problem()
    first = None if c.reference is None else pool.submit_program(problem, c.reference)
    trivial = [(name, pool.submit_program(problem, code)) for name, code in trivial_programs(c)]

    def result() -> Found:
        if first is not None and (found := _of_reference(pool, problem, first)) is not None:
            return found
        for name, running in trivial:
            verdict = running.result()
            if verdict.outcome is Outcome.ERROR:
                return "", f"{NOT_VERIFIED}: {name}: {verdict.detail}"
            if verdict.outcome is Outcome.CORRECT:
                return "trivial_passes", f"{name} passes {len(_cases(c)) or 'all'} tests"
        return "", "" if first is not None else "no reference program"

    return result


def _of_reference(pool: VerifierPool, problem: Problem, first: Future[Verdict]) -> Found | None:
    verdict = first.result()
    if verdict.outcome is Outcome.INCORRECT:
        return "reference_fails", verdict.detail
    if verdict.outcome is Outcome.ERROR:
        return "", f"{NOT_VERIFIED}: {verdict.detail}"
    second = pool.submit_program(problem, str(problem.meta["reference"])).result()
    if second.outcome is Outcome.INCORRECT:
        return "not_deterministic", f"passed once, then {second.detail}"
    if second.outcome is Outcome.ERROR:
        return "", f"{NOT_VERIFIED}: {second.detail}"
    return None


def trivial_programs(c: Candidate) -> list[tuple[str, str]]:
    """Programs that know nothing of the problem, by what they are called."""
    tests = c.tests or {}
    if tests.get("type") == "stdin":
        constant = str(tests["cases"][0]["output"])
        return [
            ("an empty program", "pass"),
            ("an echo", "import sys\nsys.stdout.write(sys.stdin.read())"),
            ("the first case's output", f"import sys\nsys.stdout.write({constant!r})"),
        ]
    names = _entry(tests)
    if names is None:
        return []
    bodies = [
        ("a function that returns nothing", "return None"),
        ("an echo", "return (a + (*k.values(), None))[0]"),
    ]
    constant = _first_expected(tests)
    if constant is not None:
        bodies.append(("the first case's value", f"return {constant}"))
    return [(name, _program(names, body)) for name, body in bodies]


def _program(names: tuple[str | None, str], body: str) -> str:
    owner, name = names
    if owner is None:
        return f"def {name}(*a, **k):\n    {body}\n"
    return f"class {owner}:\n    def {name}(self, *a, **k):\n        {body}\n"


def _entry(tests: dict[str, Any]) -> tuple[str | None, str] | None:
    """The class, if there is one, and the function that the tests call; None where the program has
    to define several."""
    entry = tests.get("entry_point")
    if entry is None:
        names = list(asked_names(tests))
        return (None, names[0]) if len(names) == 1 else None
    owner, _, name = entry.replace("()", "").rpartition(".")
    return owner or None, name


def _first_expected(tests: dict[str, Any]) -> str | None:
    """The first expected value as source."""
    if tests.get("type") == "function":
        return repr(json.loads(json.dumps(tests["cases"][0]["expected"])))
    asserts = tests.get("asserts") or []
    if tests.get("type") == "check":
        asserts = [line.strip() for line in tests["code"].splitlines() if "assert " in line][:1]
    comparison = _comparison(asserts[0]) if asserts else None
    return ast.unparse(comparison.comparators[0]) if comparison else None


def _comparison(source: str) -> ast.Compare | None:
    tree = parsed(source)
    statement = tree.body[0] if tree and tree.body else None
    test = statement.test if isinstance(statement, ast.Assert) else None
    return test if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) else None


def _cases(c: Candidate) -> list[Any]:
    tests = c.tests or {}
    return list(tests.get("cases") or tests.get("asserts") or [])
