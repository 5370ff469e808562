"""The rules for code, on problems written for this test."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpo.data.candidate import Candidate
from srpo.data.curate import code_filters as rules

RULES = [
    rules.special_environment,
    rules.file_io,
    rules.needs_network,
    rules.interactive,
    rules.needs_randomness,
    rules.many_outputs,
    rules.weak_tests(),
    rules.missing_helper,
    rules.image_missing,
]


def stdin(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"type": "stdin", "cases": [{"input": i, "output": o} for i, o in pairs]}


def asserts(*lines: str, setup: str = "") -> dict[str, Any]:
    return {"type": "asserts", "setup": setup, "asserts": list(lines)}


def check(code: str, setup: str = "", entry: str = "solve") -> dict[str, Any]:
    return {"type": "check", "entry_point": entry, "setup": setup, "code": code}


def candidate(prompt: str, tests: dict[str, Any] | None = None) -> Candidate:
    return Candidate("made_up", 0, "code", prompt, tests=tests)


@pytest.mark.parametrize(
    ("rule", "prompt"),
    [
        (rules.special_environment, "Using numpy, add up the rows of the matrix."),
        (rules.special_environment, "Write an SQL query that lists the oldest clerks."),
        (rules.special_environment, "Implement the stack in C++ without templates."),
        (rules.special_environment, "Open a Jupyter notebook and plot the sine."),
        (rules.special_environment, "Draw a window with tkinter."),
        (rules.file_io, "Read the numbers from input.txt and write the sum to output.txt."),
        (rules.file_io, "Write a function that reads lines from a text file."),
        (rules.file_io, "Parse the csv file and return the mean of column two."),
        (rules.needs_network, "Download the page from a URL and count its links."),
        (rules.needs_network, "Send an HTTP request and return the status."),
        (rules.interactive, "This is an interactive problem. Guess the word."),
        (rules.interactive, "Ask at most 9 questions. Do not forget to flush the output."),
        (rules.interactive, "Guess it.\nInteraction\nPrint ? x to ask."),
        (rules.needs_randomness, "Write a function to generate a random password."),
        (rules.needs_randomness, "Each ticket must have the same probability of being picked."),
        (rules.many_outputs, "Colour the tree. If there are several colourings, print any."),
        (rules.many_outputs, "If multiple answers exist, any of them will be accepted."),
        (rules.many_outputs, "Return the names of the winners in any order."),
        (rules.many_outputs, "Print any valid schedule."),
        (rules.image_missing, "The keyboard layout is as shown above. How far is A from B?"),
        (rules.image_missing, "The cost is <image>\nFind the least cost."),
    ],
)
def test_dropped(rule: Any, prompt: str) -> None:
    assert rule(candidate(prompt))


@pytest.mark.parametrize(
    ("rule", "prompt"),
    [
        (rules.special_environment, "Given a C++ program as text, count its semicolons."),
        (rules.special_environment, "A database holds n records; sort their keys."),
        (rules.special_environment, "Hint: if implementing in Java, use an array."),
        (rules.special_environment, "Count the windows of the house."),
        (rules.file_io, "A file system is a tree of folders. Count the files in each folder."),
        (rules.file_io, "Given a file's name as a string, tell whether it is valid."),
        (rules.file_io, "The sum of n over each input file is at most 9."),
        (rules.needs_network, "A network of n servers; which cables are critical?"),
        (rules.needs_network, "See [XOR](https://example.org/xor) for the operation."),
        (rules.needs_network, "The machines are not connected to the internet."),
        (rules.interactive, "A flush is five cards of one suit."),
        (rules.interactive, "This is not an interactive problem."),
        (rules.interactive, "The jury gives each band a score."),
        (rules.needs_randomness, "He draws a ball at random. Find the probability that it is red."),
        (rules.needs_randomness, "Given a randomly shuffled list, tell how many swaps sort it."),
        (rules.many_outputs, "In one move choose any two stones. Print the least moves."),
        (rules.many_outputs, "Do the operations in any order. Print the largest sum."),
        (rules.many_outputs, "Which of the following holds for any integer n?"),
        (rules.many_outputs, "If there are several answers, return the smallest one."),
        (rules.many_outputs, "Print YES or NO in any case: any of yes, Yes, YES is accepted."),
        (rules.many_outputs, "Return -1 if you did not find any vowel that fits."),
        (rules.many_outputs, "Return -1 if you didn't\n    find any vowel that fits."),
        (rules.many_outputs, "A meal has two different dishes. You can pick any two. Count them."),
        (rules.image_missing, "Add them up.\nNote\n<image>\nIn the first example 1 + 1 is 2."),
        (rules.image_missing, "A staircase has steps. Here is an example: ![](a.png)"),
        (rules.image_missing, "Flip the image given as a matrix."),
        (rules.image_missing, "The answers are shown in the table below."),
    ],
)
def test_stays(rule: Any, prompt: str) -> None:
    assert rule(candidate(prompt)) is None


def test_a_library_that_the_setup_imports() -> None:
    one = candidate("Sort.", asserts("assert f(1) == 1", setup="import lightning_sort"))
    assert rules.special_environment(one) == "imports lightning_sort"
    two = candidate("Sort.", asserts("assert f(1) == 1", setup="import heapq"))
    assert rules.special_environment(two) is None


def test_sets_are_compared_so_any_order_will_do() -> None:
    prompt = "Return the letters in any order."
    assert rules.many_outputs(candidate(prompt, asserts("assert f('a') == ['a']")))
    assert rules.many_outputs(candidate(prompt, asserts("assert set(f('a')) == {'a'}"))) is None
    code = "def check(candidate):\n    assert sorted(candidate('ab')) == ['a', 'b']"
    assert rules.many_outputs(candidate(prompt, check(code))) is None


def test_weak_tests_by_number() -> None:
    rule = rules.weak_tests(min_tests=3)
    assert rule(candidate("Add.", stdin(("1 2", "3"), ("3 4", "7"))))
    assert rule(candidate("Add.", stdin(("1 2", "3"), ("1 2", "3"), ("1 2", "3"))))
    assert rule(candidate("Add.", stdin(("1 2", "3"), ("3 4", "7"), ("5 5", "10")))) is None
    assert rule(candidate("Add.")) == "0 of at least 3 tests"


def test_the_cases_of_one_file_are_one_test() -> None:
    assert rules.weak_tests()(candidate("Add.", stdin(("4\n1\n2\n3\n4", "1\n2\n3\n4"))))


def test_a_loop_over_cases_is_many_tests() -> None:
    code = (
        "def check(candidate):\n"
        "    for a, b in [(1, 2), (2, 3), (3, 4), (4, 5)]:\n"
        "        assert candidate(a) == b\n"
    )
    assert rules.weak_tests()(candidate("Next.", check(code))) is None


def test_all_tests_are_samples() -> None:
    pairs = [(f"{n} 71{n}", f"{n + 710 + n}") for n in range(4)]
    shown = "".join(f"\nInput\n{i}\nOutput\n{o}\n" for i, o in pairs)
    rule = rules.weak_tests()
    assert rule(candidate("Add." + shown, stdin(*pairs))) == "all 4 tests are samples"
    assert rule(candidate("Add." + shown, stdin(*pairs, ("800 1", "801")))) is None


def test_samples_as_arguments() -> None:
    cases = [{"args": [[n, 5, n], "ab"], "expected": n % 2 == 0} for n in range(4)]
    tests = {"type": "function", "entry_point": "f", "cases": cases}
    shown = "\n".join(
        f'Input: nums = [{n},5,{n}], s = "ab"\nOutput: {str(n % 2 == 0).lower()}' for n in range(4)
    )
    assert rules.weak_tests()(candidate(f"Check.\n{shown}", tests))
    assert rules.weak_tests()(candidate("Check.", tests)) is None


NODE = "class Node:\n    def __init__(self, v):\n        self.v = v\n"


def test_missing_helper() -> None:
    uses = asserts("assert total(Node(1)) == 1", "assert total(Node(2)) == 2")
    assert rules.missing_helper(candidate("Add the values.", uses)) == "the tests use Node"
    with_setup = asserts("assert total(Node(1)) == 1", setup=NODE)
    assert rules.missing_helper(candidate("Add.", with_setup)) is None
    assert rules.missing_helper(candidate("Add.\n" + NODE, uses)) is None


def test_missing_helper_in_the_setup() -> None:
    tests = asserts("assert total(root) == 1", setup="root = Node(1)")
    assert rules.missing_helper(candidate("Add.", tests)) == "the tests use Node"


def test_missing_helper_in_a_check() -> None:
    code = "def check(candidate):\n    assert same(candidate(tree([1])), tree([2]))"
    assert rules.missing_helper(candidate("Grow.", check(code))) == "the tests use same"
    code = "def check(candidate):\n    x = [1]\n    assert candidate(x) == sorted(x)"
    assert rules.missing_helper(candidate("Grow.", check(code))) is None


def test_missing_helper_in_starter_code() -> None:
    prompt = "Grow.\n# class TreeNode:\nclass Solution:\n    def grow(self, root: TreeNode): ..."
    tests = {"type": "function", "entry_point": "Solution().grow", "cases": []}
    assert rules.missing_helper(candidate(prompt, tests)) == "the starter code uses TreeNode"


def test_shared_tests() -> None:
    shared = [(f"{n}" * 20, f"{n}") for n in range(8)]
    many = [candidate(f"Problem {n}", stdin((f"{n}", "1"), *shared)) for n in range(3)]
    found = rules.shared_tests((c.prompt, rules.tests_digest(c)) for c in many)
    assert found == {rules.tests_digest(many[0])}
    two = [(c.prompt, rules.tests_digest(c)) for c in many[:2]]
    assert rules.shared_tests(two) == set()  # the easy and the hard version
    assert rules.shared_tests(two * 4) == set()  # repeated rows


def test_three_versions_of_one_problem_stay() -> None:
    shared = [(f"{n}" * 20, f"{n}") for n in range(8)]
    names = ("easy", "medium", "hard")
    some = [candidate(f"This is the {n} version. Add {n}.", stdin(*shared)) for n in names]
    assert rules.shared_tests((c.prompt, rules.tests_digest(c)) for c in some) == set()


def test_trivial_tests_are_nobodys() -> None:
    assert rules.tests_digest(candidate("A", stdin(("1", "2")))) == ""
    assert rules.tests_digests(candidate("A")) == frozenset()


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
words = st.sampled_from(
    ["any", "print", "return", "multiple answers", ".", "file", "random", "<image>", "is", "flush",
     "in any order", "numpy", "C++", "\n", "Note", "shown in the figure", "\x00", "\ud800"]
)  # fmt: skip
texts = st.text() | st.lists(words, max_size=30).map(" ".join)
keys = st.sampled_from(["cases", "setup", "asserts", "code", "entry_point"])
kinds = st.sampled_from(["stdin", "function", "asserts", "check"]) | values
some_tests = st.none() | st.builds(
    lambda kind, rest: {**rest, "type": kind}, kinds, st.dictionaries(keys, values | texts)
)


@settings(max_examples=200, deadline=None)
@given(texts, some_tests)
def test_never_raises(prompt: str, tests: dict[str, Any] | None) -> None:
    one = candidate(prompt, tests)
    for rule in RULES:
        assert rule(one) is None or rule(one)
    assert isinstance(rules.tests_digest(one), str)


@pytest.mark.parametrize(
    "unit",
    ["a", " ", "\n", "any ", "print any ", "multiple answers ", "return the list in ", "shown in ",
     "function to ", "read from a ", "write in ", "is ", "[", "Tags: [", "def f(x: ", "Note\n",
     "# ", "download from ", "should ", "order as "],
)  # fmt: skip
def test_linear_time(unit: str) -> None:
    big = candidate((unit * 200_000)[:200_000], stdin(("1", "2")))
    for rule in RULES:
        start = time.process_time()
        rule(big)
        assert time.process_time() - start < 2, "10 us a character"
