# ruff: noqa: SIM905 (a table of words)

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.data.curate.duplicates import Duplicates, Finding, Known, near, resolve
from srpo.data.curate.together import same_answer

WORDS = """
    a train leaves the station and travels towards town while another one starts later from there
    carrying apples boxes letters between two bridges of wood
""".split()


def question(rng: random.Random, words: int = 30) -> str:
    text = " ".join(rng.choice(WORDS) for _ in range(words))
    return f"{text} with ${rng.randrange(100)}$ and $x^{rng.randrange(9)}$. Find it."


def found(*rows: tuple[str, str]) -> dict[int, Finding]:
    duplicates = Duplicates()
    for prompt, _ in rows:
        duplicates.add(prompt)
    groups, pairs = duplicates.suspicious()
    known = {i: Known(f"s:{i}", "math", q, (a,)) for i, (q, a) in enumerate(rows)}
    return resolve(groups, pairs, known, same_answer)


def reasons(*rows: tuple[str, str]) -> list[str]:
    said = found(*rows)
    return [said[i].reason if i in said else "" for i in range(len(rows))]


def test_the_first_of_equal_texts_stays():
    q = question(random.Random())
    assert reasons((q, "3"), ("other words here", "3"), (q, "3")) == ["", "", "duplicate_exact"]


def test_spelling_does_not_matter():
    one = r"What is \(\dfrac{1}{2}\) of $10{,}000$, in  degrees?"
    other = r"What is $\frac12$ of 10,000 in degrees"
    assert reasons((one, "5000"), (other, "5000")) == ["", "duplicate_normalised"]


def test_texts_that_disagree_go_entirely():
    q = question(random.Random())
    said = found((q, "3"), (q, "4"), (q, "3"))
    assert [f.reason for f in said.values()] == ["conflicting_answers"] * 3
    assert "answers 4 here, 3 there" in said[1].evidence
    assert "s:0 and 1 more" in said[1].evidence


def test_answers_are_compared_by_value():
    q = question(random.Random())
    assert reasons((q, "049"), (q, "49")) == ["", "duplicate_exact"]
    assert reasons((q, r"\frac{1}{2}"), (q, "0.5")) == ["", "duplicate_exact"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("even", "odd"), ("sum", "product"), (r"\tan", r"\cos"), ("first", "last"), ("no", "the")],
)
def test_a_word_that_decides_makes_another_question(one: str, other: str):
    q = question(random.Random(), 40)
    a, b = (q.replace("Find it.", f"Find the {word} of all its parts.") for word in (one, other))
    assert reasons((a, "7"), (b, "7")) == ["", ""]


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers())
def test_another_number_is_another_question(number: int, more: int, seed: int):
    q = question(random.Random(seed), 40)
    a, b = f"{q} Give {number} of them.", f"{q} Give {number + more} of them."
    assert reasons((a, "7"), (b, "7")) == ["", ""]


def test_small_words_make_a_near_copy_with_its_likeness():
    q = question(random.Random(3), 40)
    other = q.replace("Find it.", "Determine it.")
    said = found((q, "7"), (other, "7"))
    assert said[1].reason == "duplicate_near"
    likeness = near(q, other)
    assert likeness is not None
    assert said[1].evidence == f"{likeness:.0%} like s:0"


def test_near_copies_with_another_answer_are_noted():
    q = question(random.Random(3), 40)
    said = found((q, "7"), (q.replace("Find it.", "Determine it."), "8"))
    assert list(said) == [1]
    assert said[1].reason == ""
    assert "has another answer" in said[1].evidence


def test_nothing_is_chained():
    """Each row is like the one before it, and the last is not like the first."""
    rng = random.Random(1)
    words = [rng.choice(WORDS) + rng.choice(WORDS) for _ in range(40)]
    rows = []
    for i in range(12):
        rows.append((" ".join(words), "7"))
        words[3 * i] = f"{words[3 * i]}ing"
    gone = {i: f.evidence for i, f in found(*rows).items() if f.reason}
    assert near(rows[0][0], rows[-1][0]) is None
    assert 1 in gone
    stays = [i for i in range(12) if i not in gone]
    assert len(stays) > 1
    for i, evidence in gone.items():
        kept = int(evidence.rpartition(":")[2])
        assert kept in stays
        assert near(rows[kept][0], rows[i][0]) is not None


@given(st.integers())
def test_unrelated_rows_change_nothing(seed: int):
    rng = random.Random(seed)
    q = question(rng, 40)
    copies = [(q, "7"), (q.replace("Find", "Determine"), "7"), (f" {q} ", "7")]
    others = [(question(rng, 25), str(i)) for i in range(20)]
    rows = [*others, *copies]
    rng.shuffle(others)
    mixed = [*others[:7], copies[0], *others[7:11], copies[1], *others[11:], copies[2]]
    plain = {rows[i][0]: f.reason for i, f in found(*rows).items()}
    assert plain == {mixed[i][0]: f.reason for i, f in found(*mixed).items()}


def test_figures_make_the_question():
    stem = 'In the diagram, find $x$. [asy] draw((0,0)--({n},1)); label("$x$",(0,1)); [/asy]'
    one, other = stem.replace("{n}", "3"), stem.replace("{n}", "4")
    assert reasons((one, "7"), (other, "8")) == ["", ""]
    assert reasons((one, "7"), (one.replace("  ", " "), "7")) == ["", "duplicate_exact"]


def test_code_and_mathematics_are_not_compared():
    duplicates = Duplicates()
    for _ in range(2):
        duplicates.add("Write f(x).")
    known = {
        0: Known("a:0", "math", "Write f(x).", ("1",)),
        1: Known("b:0", "code", "Write f(x).", ("d",)),
    }
    assert resolve(*duplicates.suspicious(), known, same_answer) == {}


def test_no_rows():
    assert found() == {}
