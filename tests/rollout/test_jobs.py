"""No rollout is lost, none is used twice, and each is tried twice at most."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srpo.rollout.engine import Request
from srpo.rollout.jobs import Jobs
from srpo.types import FinishReason, Rollout

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=5)


def rollout(name: str, reason: FinishReason = FinishReason.STOP) -> Rollout:
    return Rollout(np.ones(1, np.int32), np.zeros(1, np.float32), name, reason, 0)


@given(SIZES, st.integers(0, 1000), st.randoms(use_true_random=False), st.floats(0, 1))
def test_every_rollout_comes_once_in_its_place(
    sizes: list[int], seed: int, random: object, failing: float
) -> None:
    requests = [Request(10 + i, [i], n, seed + 100 * i) for i, n in enumerate(sizes)]
    jobs, tried, groups = Jobs(requests), Counter(), {}
    seeds: dict[str, int] = {}
    while jobs.open:
        for job in jobs.next():
            place = job.name.rsplit("-", 1)[0]
            tried[place] += 1
            assert seeds.setdefault(place, job.seed) == job.seed, "the second try has its seed"
        names = list(jobs.out)
        random.shuffle(names)  # pyright: ignore[reportAttributeAccessIssue]
        for name in names:
            fails = random.random() < failing  # pyright: ignore[reportAttributeAccessIssue]
            reason = FinishReason.ABORT if fails else FinishReason.LENGTH
            found = jobs.take(name, rollout(name, reason))
            assert jobs.take(name, rollout("late")) is None, "used or given up: not used again"
            if found:
                assert found[0].index not in groups
                groups[found[0].index] = found[1]
    assert sorted(groups) == [r.index for r in requests]
    assert len(set(seeds.values())) == sum(sizes)
    for i, request in enumerate(requests):
        names = [r.text for r in groups[request.index]]
        assert [n.rsplit("-", 1)[0] for n in names] == [f"{i}-{j}" for j in range(request.n)]
        for answer in groups[request.index]:
            second = answer.text.endswith("-1")
            assert tried[answer.text.rsplit("-", 1)[0]] == 1 + second
            assert answer.finish_reason is not FinishReason.ABORT or second


def test_the_longest_are_submitted_first_and_come_back_in_their_places() -> None:
    expected = (5.0, 70.0, 0.0, 70.0)
    jobs = Jobs([Request(i, [i], 2, i, tokens) for i, tokens in enumerate(expected)])
    names = [job.name for job in jobs.next()]
    assert names == [f"{i}-{member}-0" for i in (1, 3, 0, 2) for member in (0, 1)]
    groups = [group for name in names[::-1] if (group := jobs.take(name, rollout(name)))]
    for request, rollouts in groups:
        assert [r.text for r in rollouts] == [f"{request.index}-{m}-0" for m in (0, 1)]


def test_seeds_stay_below_what_engines_take() -> None:
    jobs = Jobs([Request(0, [1], 4, 2**63 - 2)]).next()
    assert [j.seed for j in jobs] == [2**63 - 2, 2**63 - 1, 0, 1]


def test_an_unknown_name_changes_nothing() -> None:
    jobs = Jobs([Request(0, [1], 1, 0)])
    jobs.next()
    assert jobs.take("7-7-0", rollout("?")) is None
    assert jobs.open
