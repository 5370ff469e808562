"""Layouts of code sets: each is found by its columns, and its tests are ones that can be run."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.errors import RowFault

N = random.randrange(10, 100)
STDIN = {"type": "stdin", "cases": [{"input": f"{N}\n", "output": f"{2 * N}\n"}]}
PAIRS = {"inputs": [f"{N}\n"], "outputs": [f"{2 * N}\n"]}
STARTER = "class Solution:\n    def double(self, n: int) -> int:\n"
PYTHON2, PYTHON3 = "print input() * 2", "print(int(input()) * 2)"


def read(row: dict[str, Any]) -> tuple[str, Candidate]:
    layout = find_layout(row, "here")
    return layout.name, read_row(layout, row, "set", 3)


def fault(row: dict[str, Any]) -> str:
    with pytest.raises(RowFault) as caught:
        read(row)
    message = str(caught.value)
    assert message.startswith("set row 3 (")
    assert "\n" not in message
    return message


def calls(**more: Any) -> dict[str, Any]:
    case = {"args": [N], "expected": 2 * N}
    wanted = {"type": "function", "entry_point": "double", "setup": "from typing import *"}
    return wanted | {"cases": [case]} | more


@pytest.mark.parametrize("objects", [True, False])
def test_code_contests(objects: bool):
    """Tests and solutions are lists of objects, or objects of lists."""

    def column(**lists: list[Any]) -> Any:
        rows = zip(*lists.values(), strict=True)
        return [dict(zip(lists, row, strict=True)) for row in rows] if objects else lists

    row = {
        "name": "1_A. Double",
        "description": "Read n; print 2n.",
        "public_tests": column(input=[f"{N}\n"], output=[f"{2 * N}\n"]),
        "private_tests": column(input=["1\n"], output=["2\n"]),
        "generated_tests": column(input=["3\n"], output=["6\n"]),
        "solutions": column(language=[2, 1, 3], solution=["int main() {}", PYTHON2, PYTHON3]),
        "difficulty": 7,
        "cf_rating": 800,
        "cf_tags": ["math"],
    }
    name, found = read(row)
    assert (name, found.prompt, found.reference) == ("code_contests", row["description"], PYTHON3)
    assert found.tests is not None
    assert [case["input"] for case in found.tests["cases"]] == [f"{N}\n", "1\n", "3\n"]
    assert found.meta == {"topic": ["math"], "difficulty": 7, "original_id": "1_A. Double"}
    names = {"language": ["CPP", "PYTHON3"], "solution": ["x", PYTHON3]}
    assert read(row | {"solutions": names})[1].reference == PYTHON3
    assert read(row | {"solutions": json.dumps(row["solutions"])})[1].reference == PYTHON3
    uneven = {"input": ["1", "2"], "output": ["1"]}
    assert "public_tests has lists of several lengths" in fault(row | {"public_tests": uneven})
    assert "expected a list of objects" in fault(row | {"private_tests": [1]})
    assert "expected input and output" in fault(row | {"private_tests": [{"input": "1"}]})


def sandboxfusion(**columns: Any) -> dict[str, Any]:
    tests = [{"input": {"stdin": f"{N}\n"}, "output": {"stdout": f"{2 * N}\n"}}]
    row = {"id": 7, "content": "Read n; print 2n.", "labels": '{"difficulty": "EASY"}'}
    row |= {"test": json.dumps(tests), "canonical_solution": "import sys; sys.exit(0)"}
    return row | columns


def test_sandboxfusion():
    name, found = read(sandboxfusion())
    assert (name, found.tests, found.reference) == ("sandboxfusion", STDIN, None)
    assert found.meta == {"difficulty": "EASY", "original_id": 7}
    pairs = json.dumps({"inputs": [f"[{N}]"], "outputs": [2 * N], "fn_name": "double"})
    content = "Write it.\n" + STARTER
    _, found = read(sandboxfusion(test=pairs, content=content, canonical_solution="f = abs"))
    assert found.tests is not None
    assert found.tests["entry_point"] == "Solution().double"
    assert found.reference == "f = abs"
    broken = json.dumps([{"input": {"stdin": "1"}, "output": "2"}])
    assert "expected input.stdin and output.stdout" in fault(sandboxfusion(test=broken))
    assert "neither JSON nor base64" in fault(sandboxfusion(test="none!"))
    assert "labels is []: expected an object" in fault(sandboxfusion(labels="[]"))


def apps(**columns: Any) -> dict[str, Any]:
    row = {"problem_id": 7, "question": "Read n; print 2n.", "starter_code": ""}
    row |= {"solutions": json.dumps([PYTHON2, PYTHON3]), "input_output": json.dumps(PAIRS)}
    return row | {"difficulty": "interview", "url": "https://x.org/1"} | columns


def test_apps():
    name, found = read(apps())
    assert (name, found.tests, found.reference) == ("apps", STDIN, PYTHON3)
    assert found.meta == {"difficulty": "interview", "url": "https://x.org/1", "original_id": 7}
    lines = {"inputs": [[str(N), ""]], "outputs": [[str(2 * N), ""]]}
    assert read(apps(input_output=lines))[1].tests == STDIN
    wrapped = {"fn_name": "double", "inputs": [[N]], "outputs": [[2 * N]]}
    assert read(apps(input_output=wrapped))[1].tests == calls()
    _, found = read(apps(input_output=wrapped | {"outputs": [2 * N]}, starter_code=STARTER))
    assert found.tests == calls(entry_point="Solution().double")
    assert found.prompt == f"Read n; print 2n.\n\nStart from this code:\n\n```python\n{STARTER}```"
    assert read(apps(input_output="", solutions=""))[1].tests is None


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"input_output": "{"}, "input_output is '{': no JSON"),
        ({"input_output": "7"}, "input_output is 7: expected inputs and outputs"),
        ({"input_output": {"inputs": ["1"]}}, "expected inputs and outputs, two lists"),
        ({"input_output": {"inputs": ["1", "2"], "outputs": ["1"]}}, "has 2 inputs and 1 outputs"),
        ({"input_output": {"inputs": [1], "outputs": ["1"]}}, "1 is read or printed: expected a"),
        ({"input_output": {"inputs": [[1]], "outputs": [1], "fn_name": "a b"}}, "entry_point"),
        ({"solutions": "{}", "input_output": None}, None),
        ({"solutions": "7"}, "solutions is 7: expected a list of programs"),
        ({"question": 7}, "question is 7: expected a text"),
    ],
)
def test_a_bad_row_of_apps(columns: dict[str, Any], says: str | None):
    if says is None:
        assert read(apps(**columns))[1].reference is None
    else:
        assert says in fault(apps(**columns))


CHECK = f"def check(candidate):\n    assert candidate({N}) == {2 * N}\n"


def test_leetcode():
    row = {
        "task_id": "double",
        "question_id": 7,
        "difficulty": "Easy",
        "tags": ["Math"],
        "problem_description": "Double n.",
        "starter_code": STARTER,
        "prompt": "import math\n",
        "completion": STARTER + "        return 2 * n",
        "entry_point": "Solution().double",
        "test": CHECK,
        "query": "Double n. Answer in a fence.",
        "estimated_date": "2024-08-04",
    }
    name, found = read(row)
    assert (name, found.reference) == ("leetcode", row["completion"])
    assert found.prompt.startswith("Double n.\n\nStart from this code:")
    wanted = {"type": "check", "entry_point": "Solution().double"}
    assert found.tests == wanted | {"setup": "import math\n", "code": CHECK}
    assert found.meta["date"] == "2024-08-04"
    older = {k: v for k, v in row.items() if k not in ("problem_description", "starter_code")}
    assert read(older)[1].prompt == row["query"]
    assert read(row | {"test": ""})[1].tests is None
    assert "entry_point" in fault(row | {"entry_point": "not a name"})
    assert "no Python source" in fault(row | {"test": "def check(candidate:"})
    assert "define check(candidate)" in fault(row | {"test": "x = 1"})


def humaneval(**columns: Any) -> dict[str, Any]:
    row = {"task_id": "HumanEval/0", "prompt": "def double(n):\n", "entry_point": "double"}
    return row | {"canonical_solution": "    return 2 * n\n", "test": CHECK} | columns


def run_check(tests: dict[str, Any], program: str) -> None:
    """As the sandbox does; here alone, for code that this file wrote."""
    names: dict[str, Any] = {}
    exec(program, names)
    exec(tests["code"], names)
    names["check"](names[tests["entry_point"]])


def test_evalplus():
    name, found = read(humaneval())
    assert (name, found.reference) == ("humaneval", "def double(n):\n    return 2 * n\n")
    row = humaneval(base_input=[[N], [1]], plus_input=[[0], [0.5]], atol=0, contract="")
    name, found = read(row)
    assert name == "humaneval+"
    assert found.tests is not None
    run_check(found.tests, "def double(n):\n    return n + n")
    with pytest.raises(AssertionError):
        run_check(found.tests, "def double(n):\n    return 2 * n if n else 1")
    mbpp = {
        "task_id": "Mbpp/2",
        "prompt": '"""\nWrite double. assert double(1) == 2\n"""\n',
        "entry_point": "double",
        "canonical_solution": "def double(n):\n    return 2 * n\n",
        "assertion": "assert double(1) == 2",
        "base_input": [[1]],
        "plus_input": {},
        "atol": 0,
    }
    name, found = read(mbpp)
    assert (name, found.prompt) == ("mbpp+", "Write double. assert double(1) == 2")
    assert found.tests is not None
    run_check(found.tests, "def double(n):\n    return n * 2")
    assert "base_input is [7]: expected lists of arguments" in fault(mbpp | {"base_input": [7]})
    assert "plus_input is 'x': expected" in fault(mbpp | {"plus_input": "x"})
    assert "no Python" in fault(mbpp | {"canonical_solution": "def double(n:"})
    assert read(mbpp | {"canonical_solution": ""})[1].tests is None
