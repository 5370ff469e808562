"""Both kinds of doubt cover what they claim to; majorities and lengths by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.evaluation.numbers import Answer, Solved, ks, majority_at_k, numbers, solved
from srpo.types import Outcome

LETTER = {"c": Outcome.CORRECT, "e": Outcome.ERROR}


def answers(letters: str, tokens: int = 10) -> list[Answer]:
    """`c` is correct, `e` an error of ours, `-` has no answer; others are wrong answers."""
    return [
        Answer(
            LETTER.get(x, Outcome.INCORRECT), None if x in "-e" else x, tokens, truncated=x == "-"
        )
        for x in letters
    ]


def counted(correct: int, n: int) -> Solved:
    return Solved(n, n, correct)


@pytest.mark.parametrize(
    ("a", "b", "problems", "n"),
    [(0.3, 0.3, 30, 32), (0.2, 1.8, 30, 32), (2, 2, 40, 8), (4, 0.5, 500, 4), (0.2, 1.8, 100, 2)],
)
def test_both_intervals_cover_nineteen_times_in_twenty(a: float, b: float, problems: int, n: int):
    """Over questions: the mean of the population that they are drawn from. Over runs: the mean of
    these questions' own rates."""
    rng = np.random.default_rng(problems + n)
    fixed = rng.beta(a, b, problems)
    of_questions, of_runs, tries = 0, 0, 1000
    for _ in range(tries):
        drawn = rng.binomial(n, rng.beta(a, b, problems))
        over = numbers([counted(int(c), n) for c in drawn], n)["over_questions"]
        of_questions += over["low"] <= a / (a + b) <= over["high"]
        again = rng.binomial(n, fixed)
        over = numbers([counted(int(c), n) for c in again], n)["over_runs"]
        of_runs += over["low"] <= fixed.mean() <= over["high"]
    assert 0.93 <= of_questions / tries <= 0.97
    assert 0.93 <= of_runs / tries <= 0.97


def test_standard_errors_by_hand() -> None:
    found = numbers([counted(1, 4), counted(3, 4), counted(4, 4)], 4)
    assert found["avg@n"] == pytest.approx(2 / 3)
    rates = np.array([0.25, 0.75, 1.0])
    assert found["over_questions"]["standard_error"] == pytest.approx(rates.std(ddof=1) / 3**0.5)
    # 1/4 * 3/4 / 3, twice, and 0: summed, over 3 squared
    assert found["over_runs"]["standard_error"] == pytest.approx((2 / 16 / 9) ** 0.5)


def test_the_error_over_runs_is_the_spread_of_run_averages() -> None:
    rng = np.random.default_rng(2)
    rates, n = rng.beta(1, 1, 20), 16
    seen = [rng.binomial(n, rates).mean() / n for _ in range(4000)]
    told = [
        numbers([counted(int(c), n) for c in rng.binomial(n, rates)], n)["over_runs"][
            "standard_error"
        ]
        for _ in range(300)
    ]
    assert np.sqrt(np.mean(np.square(told))) == pytest.approx(np.std(seen), rel=0.05)


def test_one_response_says_nothing_of_other_runs() -> None:
    assert numbers([counted(1, 1), counted(0, 1)], 1)["over_runs"] is None


@given(
    st.text("cab-", min_size=1, max_size=7).flatmap(
        lambda t: st.tuples(st.just(t), st.integers(1, len(t)))
    )
)
def test_majority_is_that_of_every_subset(given: tuple[str, int]) -> None:
    letters, k = given
    wins = []
    for subset in combinations(letters, k):
        counts = {x: subset.count(x) for x in set(subset) - {"-"}}
        top = [x for x, n in counts.items() if n == max(counts.values())]
        wins.append(top.count("c") / len(top) if top else 0.0)
    assert majority_at_k(answers(letters), k) == pytest.approx(sum(wins) / len(wins))


def test_majority_of_many_subsets_is_near_the_truth() -> None:
    letters = "c" * 12 + "a" * 10 + "-" * 10
    counts = np.array([12, 10, 10])
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric(counts, 7, 20_000)
    truth = np.mean(
        (drawn[:, 0] > drawn[:, 1]) + 0.5 * (drawn[:, 0] == drawn[:, 1]) * (drawn[:, 0] > 0)
    )
    assert majority_at_k(answers(letters), 7) == pytest.approx(truth, abs=0.1)
    assert majority_at_k(answers(letters), 32) == 1.0


def test_correct_answers_are_one_answer_however_written() -> None:
    written = [Answer(Outcome.CORRECT, a, 1, False) for a in ("1/2", "0.5")]
    wrong = [Answer(Outcome.INCORRECT, "2", 1, False)] * 2
    assert majority_at_k([*written, *wrong[:1]], 3) == 1.0
    assert majority_at_k([*written, *wrong], 4) == 0.5


def test_shares_and_lengths_by_hand() -> None:
    first, second = solved(answers("ca-e", 10), True), solved(answers("cccc", 30), True)
    found = numbers([first, second], 4)
    assert found["errors"] == 1
    assert found["avg@n"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["no_answer"] == pytest.approx(1 / 7)
    assert found["truncated"] == pytest.approx(1 / 8)
    assert found["mean_tokens"] == 20
    assert found["mean_tokens_correct"] == pytest.approx((10 + 120) / 5)
    assert found["mean_tokens_incorrect"] == 10
    assert found["pass@k"] == {1: 1.0, 2: 1.0, 4: 1.0}, "of the problem that was judged whole"
    assert found["maj@k"] == {2: 1.0, 4: 1.0}


def test_nothing_correct_has_no_length() -> None:
    found = numbers([solved(answers("ab"))], 2)
    assert found["mean_tokens_correct"] is None
    assert found["maj@k"] == {}


@pytest.mark.parametrize(
    ("n", "expected"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (32, [1, 2, 4, 8, 16, 32])]
)
def test_the_k_that_are_shown(n: int, expected: list[int]) -> None:
    assert ks(n) == expected
