"""Where a response ends, and what it says."""

from __future__ import annotations

import random

import pytest

from builders import nano_tokenizer
from srpo.rollout.stops import in_words, is_stopped, response_text


@pytest.mark.parametrize("stop", ["\nUser:", "</answer>", "é", "12"])
def test_a_stop_text_is_noticed_at_the_token_that_completes_it(stop: str) -> None:
    tokenizer = nano_tokenizer()
    for _ in range(20):
        before = "".join(random.choices("ab 3.\n<", k=random.randrange(40)))
        ids = tokenizer(f"{before}{stop}1 and more").input_ids
        first = next(n for n in range(1, len(ids)) if stop in tokenizer.decode(ids[:n]))
        found = [n for n in range(1, first + 1) if is_stopped(tokenizer, ids[:n], [stop, "never"])]
        assert found == [first]
        text = response_text(tokenizer, frozenset(), ids[:first], [stop])
        assert text == before + ("</answer>" if stop == "</answer>" else "")


def test_without_stop_texts_nothing_is_cut() -> None:
    tokenizer = nano_tokenizer()
    end = tokenizer.eos_token_id
    ids = [*tokenizer("one\nUser: two").input_ids, end]
    assert not is_stopped(tokenizer, ids, [])
    assert response_text(tokenizer, frozenset([end]), ids) == "one\nUser: two"


def test_the_first_of_several_ends_the_text() -> None:
    tokenizer = nano_tokenizer()
    ids = tokenizer("one two three").input_ids
    assert response_text(tokenizer, frozenset(), ids, ["three", "two", "four"]) == "one "


def test_in_words() -> None:
    assert in_words(nano_tokenizer(), [1, 0], ["\nQ:"]) == (
        "<|endoftext|> (0), or <|pad|> (1), or the text '\\nQ:'"
    )
