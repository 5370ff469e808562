"""Mixing languages: labelled responses, what never counts, and hostile input."""

# ruff: noqa: RUF001

from __future__ import annotations

import json
import os
import random
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.verifiers.language.mixing import foreign_share, mixed
from srpo.verifiers.language.prose import prose
from verifiers.language.cases import EN, KEPT, LONG_EN, MIXED, ZH


def test_precision_and_recall_on_the_labelled_responses() -> None:
    false_alarms = [row for row in KEPT if mixed(*row)]
    missed = [row for row in MIXED if not mixed(*row)]
    found = len(MIXED) - len(missed)
    assert len(KEPT) + len(MIXED) >= 120
    assert found / (found + len(false_alarms)) >= 0.97, false_alarms
    assert found / len(MIXED) >= 0.97, missed
    assert not [row for row in false_alarms if row[0] == EN]


@pytest.mark.parametrize(
    ("file", "question", "answer"),
    [("math_test.jsonl", "problem", "solution"), ("gsm8k_test.jsonl", "question", "answer")],
)
def test_english_solutions_are_not_mixed(file: str, question: str, answer: str) -> None:
    folder = os.environ.get("SRPO_DATA")
    if not folder or not (Path(folder) / file).is_file():
        pytest.skip(f"SRPO_DATA names no folder with {file}")
    rows = [json.loads(x) for x in (Path(folder) / file).read_text("utf-8").splitlines()]
    false_alarms = [row[answer] for row in rows if mixed(row[question], row[answer])]
    assert len(false_alarms) < 0.001 * len(rows), false_alarms


def test_the_share_is_counted_in_letters() -> None:
    # 7 Han letters weigh 28; "the sum is just what we want" has 22 letters.
    share, amount = foreign_share("What?", "The sum is just what we want 所以答案是这个")
    assert (share, amount) == (28 / (28 + 22), 28)
    assert foreign_share("What?", "") == (0.0, 0)


def test_a_word_or_two_in_a_long_response_are_tolerated() -> None:
    assert mixed(EN, LONG_EN + "所以")
    assert not mixed(EN, LONG_EN * 10 + "所以")


def test_prose_leaves_out_what_is_none() -> None:
    text = "a $x$ b \\(y\\) c `z` d\n```\nq\n```\ne \\[w\\] f https://g.h/i \\alpha <think> (好)"
    assert prose(text).split() == [*"axbxcxdxexf"]
    assert prose("pay $5 or $6 now") == "pay $5 or $6 now"
    assert prose("a \\[ open").split() == ["a", "x"]


@given(
    st.sampled_from([*KEPT, *MIXED]),
    st.sampled_from(["\n```\n# {}\n```", "`{}`", "$\\text{{{}}}$"]),
)
def test_code_and_mathematics_never_count(row: tuple[str, str], wrapper: str) -> None:
    content = row[1].replace("`", "").replace("$", "").replace("\n", " ").strip()
    assert mixed(EN, LONG_EN + wrapper.format(content)) is False


@given(st.text(), st.text())
def test_any_text_has_a_share_and_the_same_again(prompt: str, text: str) -> None:
    share, amount = foreign_share(prompt, text)
    assert 0 <= share <= 1
    assert amount >= 0
    assert foreign_share(prompt, text) == (share, amount)


@given(st.sampled_from([ZH, "Где находится вокзал", "お元気ですか皆さん"]))
def test_a_quotation_of_the_prompt_does_not_count(quotation: str) -> None:
    answer = f"The phrase {quotation} is what we were asked for."
    assert mixed("Please explain.", answer)
    assert not mixed(f"Please explain to me what is meant with «{quotation}».", answer)


def test_threads_agree() -> None:
    rows = [*KEPT, *MIXED]
    expected = [foreign_share(*row) for row in rows]
    found: list[list[tuple[float, int]]] = []
    threads = [
        threading.Thread(target=lambda: found.append([foreign_share(*row) for row in rows]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


PATTERNS = ["\\[", "\\(", "$a", "$ a", "`\n", "(a", "a.", "a@a.", "'a", "<a", "好们", "の们 "]
PATTERNS += ["la que ", "\\begin{", "www.", "а们aた", "\\", "a+", "[asy]", "«", "\u0301", "กั"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_time_grows_with_the_length_only(pattern: str) -> None:
    def seconds(length: int) -> float:
        start = time.process_time()
        text = pattern * (length // len(pattern))
        mixed("What?", text)
        mixed(text[: length // 4], "What is it that we have?")
        return time.process_time() - start

    assert seconds(200_000) < 3  # quadratic time would take minutes


def test_a_long_english_response_takes_under_a_millisecond_or_so() -> None:
    rng = random.Random()
    words = LONG_EN.split()
    text = " ".join(rng.choices(words, k=400))
    mixed(EN, text)
    start = time.process_time()
    for _ in range(100):
        mixed(EN, text)
    assert (time.process_time() - start) / 100 < 0.005  # loose: machines differ
