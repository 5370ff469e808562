"""The corpus holds what its shares declare, and shares nothing with the problems."""

from __future__ import annotations

import random
import re

import pytest

from builders import nano_tokenizer
from srpo.nano import corpus
from srpo.nano.corpus import Document, document, draw_code, draw_math, prompt_of, split_of
from srpo.nano.math_tasks import MathTask
from srpo.nano.tokenizer import train_tokenizer

N = 3000


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    rng = random.Random(11)
    return [document(rng) for _ in range(N)]


def is_code(doc: Document) -> bool:
    return doc.prompt.startswith("Write f(")


def is_long(doc: Document) -> bool:
    if is_code(doc):
        return not doc.response.startswith(("```", "def", "de"))
    return "=" in doc.response


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def test_half_is_mathematics_and_half_code(documents: list[Document]) -> None:
    assert share([is_code(d) for d in documents]) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("code", [False, True])
def test_a_declared_minority_works_step_by_step(documents: list[Document], code: bool) -> None:
    some = [is_long(d) for d in documents if is_code(d) == code]
    assert share(some) == pytest.approx(corpus.STEP_BY_STEP, abs=0.04)


def test_a_declared_few_forget_the_format(documents: list[Document]) -> None:
    bare = [("```" if is_code(d) else "\\boxed{") not in d.response for d in documents]
    assert share(bare) == pytest.approx(corpus.UNBOXED, abs=0.02)


def test_the_long_way_is_the_more_accurate_and_the_longer() -> None:
    rng = random.Random(3)
    right: dict[bool, list[bool]] = {True: [], False: []}
    length: dict[bool, list[int]] = {True: [], False: []}
    for _ in range(N):
        task = draw_math(rng, "pretrain")
        response = corpus.math_response(rng, task)
        found = re.search(r"(\d+)\}?$", response)
        assert found
        long = "=" in response
        right[long].append(int(found[1]) == task.answer)
        length[long].append(len(response))
    guesses = 1 - corpus.MATH_GUESS
    assert share(right[False]) == pytest.approx(guesses, abs=0.04)
    assert share(right[True]) > share(right[False]) + 0.05
    assert sum(length[True]) / len(length[True]) > 2 * sum(length[False]) / len(length[False])


def test_slips_are_as_frequent_as_declared_and_some_are_mended() -> None:
    rng, wrong, mended, steps = random.Random(5), 0, 0, 0
    for _ in range(4000):
        lines: list[str] = []
        corpus._written_step(rng, lines, "40+2", 42)
        steps += 1
        wrong += lines[0] != "40+2=42"
        mended += len(lines) == 2
        assert len(lines) == 1 or lines[1] == "wait, 40+2=42"
    assert wrong / steps == pytest.approx(corpus.MATH_SLIP, abs=0.012)
    assert mended / wrong == pytest.approx(corpus.MATH_MEND, abs=0.12)


def test_the_corpus_and_the_splits_share_no_problem(documents: list[Document]) -> None:
    assert {split_of(d.prompt.rstrip("\n")) for d in documents} == {"pretrain"}
    rng = random.Random(2)
    counts = {"pretrain": 0, "train": 0, "heldout": 0}
    for i in range(4000):
        counts[split_of(f"question {i} {rng.random()}")] += 1
    assert counts["heldout"] / 4000 == pytest.approx(1 / 16, abs=0.015)
    assert counts["train"] / 4000 == pytest.approx(3 / 16, abs=0.025)


@pytest.mark.parametrize("split", ["pretrain", "train", "heldout"])
def test_draws_stay_in_their_split(split: str) -> None:
    rng = random.Random(8)
    for draw in (draw_math, draw_code):
        for _ in range(10):
            task = draw(rng, split)
            assert split_of(task.question) == split
            assert isinstance(task, MathTask) == (draw is draw_math)
            assert prompt_of(task) == task.question + "\n"


def test_the_same_seed_reads_the_same_corpus() -> None:
    one, other = random.Random(1), random.Random(1)
    assert [document(one) for _ in range(50)] == [document(other) for _ in range(50)]


def test_the_tokenizer_gives_back_any_text_and_keeps_digits_apart() -> None:
    tokenizer = nano_tokenizer()
    rng = random.Random(6)
    texts = [d.prompt + d.response for d in (document(rng) for _ in range(30))]
    for text in [*texts, "naïve 漢字 😀\t\r\n\x00", "  two  spaces ", ""]:
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert tokenizer.convert_ids_to_tokens(tokenizer("1234").input_ids) == list("1234")
    assert tokenizer.eos_token_id != tokenizer.pad_token_id
    assert train_tokenizer(300, 60, 0).get_vocab() == tokenizer.get_vocab()
