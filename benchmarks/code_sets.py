"""Public code problems as our `Problem`s, each with a reference program, and ways to spoil it.

The folder holds the public files under the names below; nothing of them is kept here.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srpo.data.adapters import find_layout, read_row
from srpo.data.adapters.evalplus import MATCHES, ODD, that_fit
from srpo.data.candidate import Candidate
from srpo.data.rows import read_rows
from srpo.errors import RowFault
from srpo.types import Problem

LEETCODE_TRAIN = "leetcode_train_v0.2.0.jsonl"
LEETCODE_TEST = "leetcode_test_v0.3.1.jsonl"
TIME_LIMIT_S = 5
LONGEST = (
    100_000  # characters of what is expected of a case: some inputs of EvalPlus have megabytes
)
MUTATIONS = ("none", "off", "exit", "loop")


@dataclass(frozen=True)
class Item:
    """`entry` is the function that the tests call, "f" or "Solution().f"; "" for stdin.
    `peer_tests` are the same tests as {"fn_name"?, "inputs", "outputs"}, where they can be."""

    problem: Problem
    reference: str
    entry: str = ""
    peer_tests: str = ""


def _problem(name: str, tests: dict[str, Any]) -> Problem:
    return Problem(name, "code", "", tests=tests)


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def candidates(folder: Path, name: str) -> Iterator[Candidate]:
    """A set's rows as curation reads them."""
    for number, row in read_rows(folder / name):
        if isinstance(row, RowFault):
            raise row
        yield read_row(find_layout(row, name), row, name, number)


def humaneval(folder: Path) -> Iterator[Item]:
    for c in candidates(folder, "humaneval.jsonl"):
        yield _item(c, str(c.meta["original_id"]))


def mbpp(folder: Path) -> Iterator[Item]:
    for c in candidates(folder, "mbpp.jsonl"):
        tests, program = c.tests or {}, c.reference or ""
        name = f"mbpp/{c.meta['original_id']}"
        yield Item(_problem(name, tests), program, _called(program, tests["asserts"]))


def _item(c: Candidate, name: str, **more: Any) -> Item:
    tests = (c.tests or {}) | more
    return Item(_problem(name, tests), c.reference or "", tests["entry_point"])


# How EvalPlus compares: floats nearly, all else exactly.
_PLUS = """
import copy
import numpy as np
from collections import Counter
from numpy import inf, nan

def _floats(x):
    return isinstance(x, float) or (
        isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(i, float) for i in x)
    )

def _compare(out, expected, atol):
    if out == expected:
        return
    atol = atol or (1e-6 if _floats(expected) else 0)
    assert atol and type(out) == type(expected), out
    assert np.allclose(out, expected, rtol=1e-7, atol=atol), out

def check(candidate):
    for arguments, expected in {cases}:
        {compare}
"""
_COMPARE = "_compare(candidate(*arguments), expected, {atol})"


def evalplus(folder: Path, name: str) -> Iterator[Item]:
    """HumanEval+ and MBPP+: what is expected comes from the reference, as in their releases."""
    for row in rows(folder, f"{name}.jsonl"):
        entry, program = row["entry_point"], row["prompt"] + row["canonical_solution"]
        cases = list(_reference_cases(program, entry, [*row["base_input"], *row["plus_input"]]))
        cases = list(that_fit(cases))
        if entry in MATCHES:
            cases = [(arguments, bool(expected)) for arguments, expected in cases]
        compare = ODD.get(entry, _COMPARE.format(atol=row["atol"]))
        setup = "" if name.startswith("mbpp") else row["prompt"] + "    pass\n"
        code = _PLUS.replace("{cases}", repr(cases)).replace("{compare}", compare)
        tests = {"type": "check", "entry_point": entry, "setup": setup, "code": code}
        yield Item(_problem(row["task_id"], tests), program, entry)


def _reference_cases(program: str, entry: str, inputs: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Arguments, as lists or (JSON has none) as tuples, with what the reference returns; none
    that is longer than LONGEST."""
    space: dict[str, Any] = {}
    exec(compile(program, "<reference>", "exec", dont_inherit=True), space)
    for arguments in inputs:
        variants = [arguments, [_tuples(a, 1) for a in arguments], _tuples(arguments, 0)]
        for given in variants[entry == "tuple_size" :]:  # a list's size is by chance
            with contextlib.suppress(Exception):
                expected = space[entry](*copy.deepcopy(given))
                if len(repr(expected)) < LONGEST:  # fails for numbers of more than 4,300 digits
                    yield given, expected
                break


def _tuples(value: Any, depth: int) -> Any:
    if not isinstance(value, list):
        return value
    inner = [_tuples(one, depth - 1) for one in value]
    return inner if depth > 0 else tuple(inner)


def _called(code: str, asserts: list[str]) -> str:
    """The first function of `code` that the asserts name."""
    defined = {node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}
    calls = [n for text in asserts for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)]
    return next(name.id for name in calls if name.id in defined)


def leetcode(folder: Path, name: str = LEETCODE_TRAIN) -> Iterator[Item]:
    for c in candidates(folder, name):
        yield _item(c, str(c.meta["original_id"]), time_limit_s=TIME_LIMIT_S)


def leetcode_calls(folder: Path, name: str = LEETCODE_TRAIN) -> Iterator[Item]:
    """The rows whose tests are all `assert candidate(literals) == literal`, as plain calls."""
    for row in rows(folder, name):
        cases = _literal_calls(row)
        if cases is None:
            continue
        tests = {
            "type": "function",
            "entry_point": row["entry_point"],
            "cases": [{"args": args, "expected": expected} for args, expected in cases],
            "time_limit_s": TIME_LIMIT_S,
        }
        theirs = {
            "fn_name": row["entry_point"].rpartition(".")[2],
            "inputs": ["\n".join(map(json.dumps, args)) for args, _ in cases],
            "outputs": [json.dumps(expected) for _, expected in cases],
        }
        program = row["prompt"] + row["completion"]
        problem = _problem(row["task_id"], tests)
        yield Item(problem, program, row["entry_point"], json.dumps(theirs))


def _literal_calls(row: dict[str, Any]) -> list[tuple[list[Any], Any]] | None:
    """(positional arguments, expected) of each assert, or None when one is something else."""
    check = ast.parse(row["test"]).body[0]
    function = _function(ast.parse(row["completion"]), row["entry_point"])
    if not isinstance(check, ast.FunctionDef) or function is None:
        return None
    parameters = [a.arg for a in function.args.args if a.arg != "self"]
    cases = []
    for statement in check.body:
        compared = statement.test if isinstance(statement, ast.Assert) else None
        if not isinstance(compared, ast.Compare) or not isinstance(compared.ops[0], ast.Eq):
            return None
        call = compared.left
        if not isinstance(call, ast.Call) or call.args or len(compared.ops) > 1:
            return None
        if [k.arg for k in call.keywords] != parameters or not parameters:
            return None
        try:
            args = [ast.literal_eval(k.value) for k in call.keywords]
            expected = ast.literal_eval(compared.comparators[0])
        except ValueError:
            return None
        if json.loads(json.dumps([args, expected])) != [args, expected]:  # tuples, integer keys
            return None
        cases.append((args, expected))
    return cases or None


def stdin_items(folder: Path) -> Iterator[Item]:
    """APPS with its own solutions; code_contests, which has none, with programs that read the
    input and print the answer that they carry."""
    for row in rows(folder, "apps_sample.jsonl"):
        if "fn_name" not in row["input_output"]:
            for number, solution in enumerate(row["solutions"]):
                yield _stdin_item(f"{row['problem_id']}/{number}", row["input_output"], solution)
    for number, row in enumerate(rows(folder, "code_contests_test.jsonl")):
        tests = row["tests"]
        answers = dict(zip(tests["inputs"], tests["outputs"], strict=True))
        program = f"import sys\nprint({answers!r}[sys.stdin.read()])\n"
        if len(program) < 100_000:
            yield _stdin_item(f"code_contests/{number}", tests, program)


def _stdin_item(name: str, tests: dict[str, Any], program: str) -> Item:
    pairs = zip(tests["inputs"], tests["outputs"], strict=True)
    ours = {
        "type": "stdin",
        "cases": [{"input": given, "output": wanted} for given, wanted in pairs],
        "time_limit_s": TIME_LIMIT_S,
    }
    theirs = {"inputs": tests["inputs"], "outputs": tests["outputs"]}
    return Item(_problem(name, ours), program, peer_tests=json.dumps(theirs))


def sample(items: Iterator[Item], count: int, seed: int = 0) -> list[Item]:
    """`count` of them, shuffled; all when there are fewer."""
    whole = list(items)
    random.Random(seed).shuffle(whole)
    return whole[:count]


def response(program: str, number: int) -> str:
    """A model's answer with the program, which `number` makes distinct."""
    return f"Here it is.\n\n```python\n# {number}\n{program}\n```"


def spoil(item: Item, how: str) -> str | None:
    """The reference program gone wrong: it returns None, is off by one, exits in the middle,
    or never ends. None when the function is not found."""
    if not item.entry:
        return _spoil_printed(item.reference, how)
    if how == "off":
        target = item.entry.replace("()", "")
        return f"{item.reference}\n{inspect.getsource(_off)}\n{_WRAP.format(target=target)}"
    bodies = {"none": "return None", "exit": "import os; os._exit(0)", "loop": "while True: pass"}
    tree = ast.parse(item.reference)
    function = _function(tree, item.entry)
    if function is None:
        return None
    function.body = ast.parse(f"def f():\n    {bodies[how]}").body[0].body  # type: ignore
    return ast.unparse(ast.fix_missing_locations(tree))


def _spoil_printed(program: str, how: str) -> str:
    if how == "loop":
        return f"{program}\nwhile True:\n    pass\n"
    return "print()" if how == "none" else f"print({how!r})\n{program}"


def _function(tree: ast.Module, entry: str) -> ast.FunctionDef | None:
    name = entry.rpartition(".")[2]
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[-1] if found else None


_WRAP = """
_right = {target}
def _wrong(*args, **kwargs):
    return _off(_right(*args, **kwargs))
{target} = _wrong
"""


def _off(value):  # runs inside the spoiled programs
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float, complex)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, list):
        return [*value, 0]
    if isinstance(value, tuple):
        return (*value, 0)
    if isinstance(value, dict):
        return {**value, "off": 1}
    if isinstance(value, (set, frozenset)):
        return value ^ {0}
    if hasattr(value, "val"):
        value.val = _off(value.val)
        return value
    return 1 if value is None else 12345
