from __future__ import annotations

import os
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from real_rows import needs_data, raw
from srpo.data.curate.contamination import COMMON, Contamination
from srpo.data.rows import read_rows

PROBLEM = (
    "A farmer has 17 sheep and 5 dogs in three fields, and every field has at least one dog. In"
    " how many ways can the sheep be spread over the fields, if no field stays empty of sheep?"
)


def match(problems: list[str], prompt: str, others: list[str] | None = None):
    found = Contamination([(f"e:{i}", p) for i, p in enumerate(problems)])
    for row in [prompt, *(others or [])]:
        found.count(row)
    return found.match(prompt)


def test_the_problem_itself_in_another_spelling():
    found = match([PROBLEM], PROBLEM.replace("17", "$17$").replace("if no", "when no"))
    assert found is not None
    assert (found.eval_id, found.is_copy) == ("e:0", True)
    assert found.share > 0.7


def test_within_a_longer_text():
    found = match([PROBLEM], f"Solve this carefully. {PROBLEM} Put the answer in a box, please.")
    assert found is not None
    assert found.is_copy


@given(st.integers(0, 1000).filter(lambda n: n not in (5, 17)))
def test_other_numbers_are_another_problem(n: int):
    found = match([PROBLEM], PROBLEM.replace("17", str(n)))
    assert found is not None
    assert not found.is_copy


def test_phrases_of_many_rows_count_nothing():
    phrase = "where m and n are relatively prime positive integers. Find m + n."
    rng = random.Random()
    rows = [f"Something about {rng.random()} things, {phrase}" for _ in range(COMMON + 5)]
    problem = f"The area of it is m over n, {phrase}"
    assert match([problem], rows[0], rows[1:]) is None


def test_short_problems_match_whole_texts_only():
    assert match(["What is 2+3?"], "What is 2+3?") is not None
    assert match(["What is 2+3?"], "What is 2+3? And what is 4+5?") is None


def test_nothing_in_common():
    assert match([PROBLEM], "Compute the sum of the first hundred primes.") is None
    assert match([], PROBLEM) is None


def evaluation(name: str) -> Contamination:
    rows = raw(name)
    found = Contamination([(r.id, r.prompt) for r in rows])
    for row in raw("dapo_math_17k"):
        found.count(row.prompt)
    return found


@needs_data
def test_amc23_in_dapo():
    """The eight problems that stand there verbatim are found, and no row for AIME 2024 is."""
    texts = {" ".join(r.prompt.split()) for r in raw("dapo_math_17k")}
    verbatim = {r.id for r in raw("amc23") if " ".join(r.prompt.split()) in texts}
    amc, aime = evaluation("amc23"), evaluation("aime24")
    matches = [amc.match(r.prompt) for r in raw("dapo_math_17k")]
    assert verbatim <= {m.eval_id for m in matches if m and m.is_copy}
    false = [m for r in raw("dapo_math_17k") if (m := aime.match(r.prompt)) and m.is_copy]
    assert len(false) <= 5


@needs_data
def test_every_verbatim_problem_of_math_test_is_found():
    path = Path(os.environ["SRPO_DATA"], "math_test.jsonl")
    problems = [(f"t:{n}", r["problem"]) for n, r in read_rows(path) if isinstance(r, dict)]
    found = Contamination(problems)
    rows = [r.prompt for r in raw("dapo_math_17k")]
    for row in rows:
        found.count(row)
    texts = {" ".join(row.split()) for row in rows}
    verbatim = {" ".join(p.split()) for _, p in problems} & texts
    assert len(verbatim) > 500
    for row in rows:
        if " ".join(row.split()) in verbatim:
            match = found.match(row)
            assert match is not None
            assert match.is_copy
