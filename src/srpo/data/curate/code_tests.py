"""Rules that read the tests: too few, not runnable, or another problem's."""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from srpo.data.candidate import Candidate
from srpo.data.curate.rule import Rule
from srpo.verifiers.code.names import star_names
from srpo.verifiers.code.source import parsed
from srpo.verifiers.code.tests import asked_names

MIN_TESTS = 4
SHARED = 3  # statements: two may be the easy and the hard version of one problem
_PART = 6  # tests that are compared at either end: a problem's own may stand beside shared ones
_NON_TRIVIAL = 40  # characters of input that do not turn up twice by chance


def tests_source(candidate: Candidate) -> str:
    """The tests that are Python, empty for others."""
    tests = candidate.tests or {}
    code = tests.get("code") if tests.get("type") == "check" else tests.get("asserts")
    if isinstance(code, list | tuple):
        return "\n".join(str(line) for line in code)
    return code if isinstance(code, str) else ""


def _walk(tree: ast.AST | None) -> Iterator[ast.AST]:
    return iter(()) if tree is None else ast.walk(tree)


def imported_modules(candidate: Candidate) -> set[str]:
    """The top-level modules that the setup and the tests import."""
    found: set[str] = set()
    for source in ((candidate.tests or {}).get("setup"), tests_source(candidate)):
        for node in _walk(parsed(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


# How many tests there are


def weak_tests(min_tests: int = MIN_TESTS) -> Rule:
    """The rule that drops what has fewer than `min_tests` tests."""

    def weak_tests(candidate: Candidate) -> str | None:
        """Problems with too few tests, or with none but the samples of the statement."""
        count = _count(candidate)
        if count < min_tests:
            return f"{count} of at least {min_tests} tests"
        return f"all {count} tests are samples" if _all_samples(candidate) else None

    return weak_tests


def _count(candidate: Candidate) -> int:
    tests = candidate.tests or {}
    if tests.get("type") in ("stdin", "function"):
        return len({_key(case) for case in _cases(tests)})
    tree = parsed(tests_source(candidate))
    if tree is None:
        return len(re.findall(r"^\s*assert\b", tests_source(candidate), re.M))
    asserts = {ast.dump(node) for node in ast.walk(tree) if isinstance(node, ast.Assert)}
    return max(len(asserts), _looped(tree))


def _looped(tree: ast.Module) -> int:
    """The tests of a loop: as many as the longest list has items, many where none is written."""
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For | ast.While | ast.comprehension)]
    if not loops:
        return 0
    lists = [len(n.elts) for n in ast.walk(tree) if isinstance(n, ast.List | ast.Tuple)]
    ranged = any(isinstance(n, ast.Name) and n.id == "range" for n in ast.walk(tree))
    return 1000 if ranged else max(lists, default=1000)


def _cases(tests: dict[str, Any]) -> list[dict[str, Any]]:
    cases = tests.get("cases")
    return [c for c in cases if isinstance(c, dict)] if isinstance(cases, list | tuple) else []


def _key(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, default=repr)
    except (TypeError, ValueError, RecursionError):
        return repr(type(value))


_MAX_SAMPLES = 12  # no statement shows more


def _all_samples(candidate: Candidate) -> bool:
    pairs = _pairs(candidate)
    if not 0 < len(pairs) <= _MAX_SAMPLES:
        return False
    text = _squash(candidate.prompt)
    return all(_shown(text, parts) for parts in pairs)


def _squash(text: str) -> str:
    text = re.sub(r"\b(?:true|false|null)\b", lambda m: _WORDS[m[0]], text)
    return "".join(text.split()).replace("'", '"')


_WORDS = {"true": "True", "false": "False", "null": "None"}


def _pairs(candidate: Candidate) -> list[tuple[str, str]]:
    """Each test's input and output, squashed as they may stand in the statement."""
    tests = candidate.tests or {}
    if tests.get("type") == "stdin":
        cases = _cases(tests)
        return [(_squash(str(c.get("input"))), _squash(str(c.get("output")))) for c in cases]
    if tests.get("type") == "function":
        return [(_call(case), _squash(_key(case.get("expected")))) for case in _cases(tests)]
    return [
        _compared(node)
        for node in _walk(parsed(tests_source(candidate)))
        if isinstance(node, ast.Assert)
    ]


def _call(case: dict[str, Any]) -> str:
    args = case.get("args")
    return "\n".join(_squash(_key(arg)) for arg in (args if isinstance(args, list | tuple) else ()))


def _compared(node: ast.Assert) -> tuple[str, str]:
    """The arguments and the value of `assert f(...) == value`, empty for other asserts."""
    test = node.test
    if not (isinstance(test, ast.Compare) and isinstance(test.left, ast.Call)):
        return "", ""
    try:
        args = [ast.unparse(arg) for arg in (*test.left.args, *test.left.keywords)]
        return "\n".join(map(_squash, args)), _squash(ast.unparse(test.comparators[0]))
    except RecursionError:
        return "", ""


_NEAR = 80  # characters between a sample's input and its output


def _shown(text: str, pair: tuple[str, str]) -> bool:
    """Whether the arguments stand in the statement one after the other, then the output."""
    parts = [part for part in pair[0].split("\n") if part]
    start = text.find(parts[0]) if parts else -1
    for _ in range(200):
        if start < 0:
            return False
        if _follows(text, start, [*parts, pair[1]]):
            return True
        start = text.find(parts[0], start + 1)
    return False


def _follows(text: str, start: int, parts: list[str]) -> bool:
    for part in parts:
        at = text.find(part, start, start + _NEAR + len(part))
        if at < 0:
            return False
        start = at + len(part)
    return True


# What the tests need

_ANNOTATED = re.compile(r"(?::|->|\[) {0,2}[\"']?((?:Tree|List|Graph)?Node)\b")
_DEFINED = re.compile(r"^[ \t]*(?:async def|def|class)[ \t]+(\w+)", re.M)
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


def missing_helper(candidate: Candidate) -> str | None:
    """Problems whose tests or starter code use a function or class that nobody gives."""
    tests = candidate.tests or {}
    given = _given(candidate)
    for name in _used(candidate, given):
        if name not in given:
            return f"the tests use {name}"
    code = "\n".join(re.findall(r"^[ \t]*def .{0,400}$", candidate.prompt, re.M))
    for name in _ANNOTATED.findall(code) if tests else ():
        if name not in given:
            return f"the starter code uses {name}"
    return None


def _given(candidate: Candidate) -> set[str]:
    """The names that the setup binds or the statement's code defines."""
    setup = (candidate.tests or {}).get("setup")
    names = set(_DEFINED.findall(candidate.prompt)) | _BUILTINS | _bound(parsed(setup))
    for node in _walk(parsed(setup)):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            names |= set(star_names(node.module or "") or ())
    return names


def _bound(tree: ast.Module | None) -> set[str]:
    found: set[str] = set()
    for node in _walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _used(candidate: Candidate, given: set[str]) -> list[str]:
    """The names that the tests use and do not bind, without the program's own."""
    tree = parsed(tests_source(candidate))
    free = _free(tree) - _bound(tree) - given
    program = _program(tree, free)
    tests = candidate.tests or {}
    if isinstance(tests.get("entry_point"), str):
        program = set(asked_names(tests))
    return sorted((free | _setup_needs(candidate, given)) - program)


def _setup_needs(candidate: Candidate, given: set[str]) -> set[str]:
    """The names that the setup uses and nobody binds; none where a library's are unknown."""
    tree = parsed((candidate.tests or {}).get("setup"))
    stars = [n for n in _walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    known = all(star_names(node.module or "") for node in stars)
    return _free(tree) - given if known else set()


def _free(tree: ast.AST | None) -> set[str]:
    nodes = _walk(tree)
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _program(tree: ast.Module | None, free: set[str]) -> set[str]:
    """The function that asserts call first: `f` in `assert f(g(1)) == h(2)`; in each, one."""
    found: set[str] = set()
    for node in _walk(tree):
        if isinstance(node, ast.Assert):
            called = (n.func for n in ast.walk(node.test) if isinstance(n, ast.Call))
            names = (f.id for f in called if isinstance(f, ast.Name) and f.id in free)
            found |= set(list(names)[:1])
    return found


# Another problem's tests


def tests_digest(candidate: Candidate) -> str:
    """Of the last tests: shared ones are put behind a problem's own. Empty for trivial tests."""
    return _digest(_keys(candidate)[-_PART:])


def tests_digests(candidate: Candidate) -> frozenset[str]:
    """Of the last tests and of the first."""
    keys = _keys(candidate)
    return frozenset({_digest(keys[-_PART:]), _digest(keys[:_PART])} - {""})


_VERSION = re.compile(r"\b(?:easy|easier|medium|hard|harder|extreme) version\b", re.I)


def shared_tests(candidates: Iterable[tuple[str, str]]) -> set[str]:
    """The digests that occur with three different statements or more.

    `candidates` are pairs of a statement and a digest, in any order. Statements that call
    themselves the easy, medium or hard version of a problem count as one together.
    """
    prompts: defaultdict[str, set[bytes]] = defaultdict(set)
    for prompt, digest in candidates:
        if digest and len(prompts[digest]) < SHARED:
            prompts[digest].add(_statement(prompt))
    return {digest for digest, texts in prompts.items() if len(texts) >= SHARED}


def _statement(prompt: str) -> bytes:
    if _VERSION.search(prompt):
        return b"a version"
    return hashlib.sha256(" ".join(prompt.split()).encode(errors="replace")).digest()


def _keys(candidate: Candidate) -> list[str]:
    tests = candidate.tests or {}
    if tests.get("type") in ("stdin", "function"):
        return [_key(case) for case in _cases(tests)]
    tree = parsed(tests_source(candidate))
    return [ast.dump(n) for n in _walk(tree) if isinstance(n, ast.Assert)]


def _digest(keys: list[str]) -> str:
    text = "\n".join(keys)
    if len(text) < _NON_TRIVIAL:
        return ""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
