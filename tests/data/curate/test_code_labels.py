"""How often the rules for code are right, on rows of public sets that were read by hand.

`labels/code.jsonl`: the rows of the sample "random" have all the labels that apply; the others
were looked for, and say of one rule only, which `sample` names, whether it applies.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from real_rows import Label, labels, measured, needs_data, raw
from srpo.data.candidate import Candidate
from srpo.data.curate import code_filters as rules
from srpo.data.curate.rule import Rule
from srpo.data.rows import read_rows

RULES: dict[str, Rule] = {
    "special_environment": rules.special_environment,
    "file_io": rules.file_io,
    "needs_network": rules.needs_network,
    "interactive": rules.interactive,
    "needs_randomness": rules.needs_randomness,
    "many_outputs": rules.many_outputs,
    "weak_tests": rules.weak_tests(),
    "missing_helper": rules.missing_helper,
    "image_missing": rules.image_missing,
}
LABELS = labels("code")
ENOUGH, PRECISION, RECALL = 20, 0.95, 0.9

pytestmark = needs_data


@pytest.mark.parametrize("name", RULES)
def test_precision_and_recall(name: str) -> None:
    def says(line: Label) -> bool:
        return RULES[name](raw(line["set"])[line["row"]]) is not None

    of_rule = [line for line in LABELS if line["sample"] in ("random", name)]
    positives, precision, recall = measured(
        name, of_rule, lambda line: name in line["labels"], says
    )
    if positives >= ENOUGH:
        assert precision >= PRECISION
        assert recall >= RECALL
    else:
        assert sum(says(line) and name not in line["labels"] for line in of_rule) <= 1


def trapped() -> list[Candidate]:
    """The set whose problems all have the same tests. Those of two kinds, which no layout takes,
    are given as one."""
    path = Path(os.environ["SRPO_DATA"], "livecodebench_trap_shared_tests.json")
    found = []
    for number, row in read_rows(path):
        assert isinstance(row, dict)
        cases = [{"input": test["input"], "output": test["output"]} for test in row["tests"]]
        tests = {"type": "stdin", "cases": cases}
        found.append(Candidate("trap", number, "code", row["problem"], tests=tests))
    return found


def test_shared_tests() -> None:
    rows = trapped()
    digests = [rules.tests_digest(row) for row in rows]
    shared = rules.shared_tests(zip((row.prompt for row in rows), digests, strict=True))
    assert sum(digest in shared for digest in digests) == len(rows) == 279


@pytest.mark.parametrize("name", ["codeforces_test", "code_contests_test", "leetcode_train_v0.2.0"])
def test_nothing_is_shared_elsewhere(name: str) -> None:
    rows = raw(name)
    pairs = [(row.prompt, digest) for row in rows for digest in rules.tests_digests(row)]
    assert rules.shared_tests(pairs) == set()
