"""Each behaviour, in words of our own; nothing in plain answers; hostile texts in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.reasoning.behaviours import OURS, find_marks, is_reflective
from srpo.reasoning.published import PUBLISHED
from srpo.reasoning.sentences import sentences
from srpo.types import UserError


def shown(text: str, rules: str = OURS) -> set[str]:
    return {m.behaviour for m in find_marks(text, rules)}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Let me double-check the sum of the digits.", {"recheck"}),
        ("Let me verify this with n = 3.", {"recheck"}),
        ("Yes, that seems right.", {"recheck"}),
        ("So the total is indeed 42.", set()),
        ("I made a mistake in the second line.", {"recheck"}),
        ("Did I count the corner twice?", {"recheck"}),
        ("Is that correct?", {"recheck"}),
        ("Wait, no, the radius is 4.", {"recheck", "hesitation"}),
        ("Hmm, let me see.", {"hesitation"}),
        ("I'm not sure about the last step.", {"hesitation"}),
        ("That doesn't seem to fit.", {"hesitation"}),
        ("Maybe I'm overcomplicating this.", {"hesitation"}),
        ("Alternatively, use the sine rule.", {"exploration"}),
        ("Another way is to count the complement.", {"exploration"}),
        ("What if x is negative?", {"exploration"}),
        ("Let me try a smaller case.", {"exploration"}),
        ("Maybe the answer is a rectangle.", {"exploration"}),
        ("Perhaps I can factor the numerator.", {"exploration"}),
        ("Wait, maybe it's about the letters.", {"hesitation", "exploration"}),
        # What a textbook says.
        ("However, the second root is negative.", set()),
        ("Let's check each factor in turn.", set()),
        ("Therefore the answer is 12.", set()),
        ("We need to ensure that both numbers are even.", set()),
        ("Make sure to drink enough water every day.", set()),
        ("Let me try to break this down step by step.", set()),
        ("The other side of the triangle is 5.", set()),
        ("Perhaps you would like some tea in the garden.", set()),
    ],
)
def test_a_sentence_shows_what_it_says(sentence: str, expected: set[str]) -> None:
    assert shown(sentence) == expected
    assert shown(f"We add 3 and 4.\n{sentence} Then we go on.") == expected


def test_marks_are_the_sentences() -> None:
    text = "We get 7. Wait, that is wrong.\n\nAlternatively, we can count."
    marks = find_marks(text)
    assert {(m.behaviour, text[m.start : m.end]) for m in marks} == {
        ("hesitation", "Wait, that is wrong."),
        ("recheck", "Wait, that is wrong."),
        ("exploration", "Alternatively, we can count."),
    }


def test_a_check_alone_is_no_reflection() -> None:
    assert not is_reflective(find_marks("To verify, we substitute 4 back."))
    assert not is_reflective(find_marks("Alternatively, we can factor the sum."))
    assert is_reflective(find_marks("Let me verify this. Alternatively, we can factor."))
    assert is_reflective(find_marks("Hmm, that is odd."))


@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - {"open-reasoner-zero"}))
def test_published_lists_are_words_anywhere(name: str) -> None:
    for pattern in PUBLISHED[name]:
        word = pattern.pattern
        found = find_marks(f"xx{word.upper()}yy {word}", name)
        assert sum(m.rule == word and m.end - m.start == len(word) for m in found) == 2


@pytest.mark.parametrize(
    ("text", "shown_by"),
    [
        ("We add 3 and 4.", set()),
        ("Wait, let me see.", {"simplerl"}),
        ("But wait, let me see.", {"open-reasoner-zero", "simplerl"}),
        ("However, it is even.", {"simplerl"}),
        ("Now recheck, then go on.", {*PUBLISHED}),
        ("It was rechecked.", {*PUBLISHED} - {"open-reasoner-zero"}),
        ("Let me reconsider that.", {"understand-r1-zero"}),
        ("I try again.", {"oat-zero", "simplerl"}),
    ],
)
def test_published_lists_differ(text: str, shown_by: set[str]) -> None:
    assert {name for name in PUBLISHED if find_marks(text, name)} == shown_by


def test_a_word_is_marked_where_it_stands() -> None:
    """The small letter of the Turkish capital is two characters."""
    text = "\u0130\u0130\u0130 we Recheck it."
    assert [text[m.start : m.end] for m in find_marks(text, "oat-zero")] == ["Recheck"]


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(UserError, match="choose one of srpo, understand-r1-zero"):
        find_marks("x", "mine")


def test_decimals_and_short_lines_are_no_sentences() -> None:
    text = "The value 3.14 is near. It is pi (nearly).\n\n1.\n= 7\nSo it goes on and on"
    found = [text[a:b] for a, b in sentences(text)]
    assert found == ["The value 3.14 is near.", "It is pi (nearly).", "So it goes on and on"]


@given(st.text())
def test_sentences_are_in_order_and_apart(text: str) -> None:
    places = list(sentences(text))
    flat = [at for place in places for at in place]
    assert flat == sorted(flat)
    assert all(text[a:b].strip() == text[a:b] for a, b in places)


@pytest.mark.parametrize(
    "part",
    [
        "wait ",
        "\n",
        ". ",
        "so but ",
        "let me ",
        "is that right ",
        "maybe it's ",
        "I think ",
        "**.",
        "a.'",
    ],
)
def test_time_grows_with_the_text_and_no_faster(part: str) -> None:
    """A hundred times the text takes no more than some hundred times as long."""

    def seconds(size: int) -> float:
        text = part * (size // len(part))
        began = time.process_time()
        find_marks(text)
        return time.process_time() - began

    small = max(min(seconds(10_000) for _ in range(3)), 1e-3)
    assert seconds(500_000) < 50 * small * 8
