"""No work is lost or given away twice, no engine has too much, and the longest comes first."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from srpo.rollout.schedule import Schedule, Work

SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 50)), min_size=1, max_size=30)


@given(SIZES, st.integers(1, 4), st.integers(1, 12), st.randoms(use_true_random=False), st.data())
def test_all_work_is_done_once_within_the_rows(
    sizes: list[tuple[int, int]], engines: int, max_rows: int, chance: random.Random, data: Any
) -> None:
    """Engines finish in any order, and one of them may go away once and another come."""
    work = [Work(i, rows, float(tokens)) for i, (rows, tokens) in enumerate(sizes)]
    schedule = Schedule(range(engines), max_rows)
    schedule.add(work)
    out: list[tuple[int, Work[int]]] = []
    finished: list[int] = []
    dies = data.draw(st.integers(0, len(work)))
    while schedule.open:
        out += schedule.assign()
        assert out, "what waits is begun where nothing runs"
        for engine in {e for e, _ in out}:
            own = [w.rows for e, w in out if e == engine]
            assert sum(own) <= max_rows or len(own) == 1
        if len(finished) == dies:
            gone, dies = out[0][0], -1
            back = schedule.lost(gone)
            assert back == [w for e, w in out if e == gone]
            out = [(e, w) for e, w in out if e != gone]
            schedule.joined(engines)
            continue
        engine, one = out.pop(chance.randrange(len(out)))
        schedule.done(engine, one.key)
        finished.append(one.key)
    assert sorted(finished) == list(range(len(work)))
    assert list(schedule.assign()) == []


def test_the_longest_goes_to_the_engine_with_the_least_to_do() -> None:
    """By hand: 90 to a; 60 and 50 to b and then, of 60 and 90, b again; a is full with 30."""
    schedule = Schedule("ab", 2)
    schedule.add(Work(t, 1, float(t)) for t in (30, 90, 50, 60, 20))
    assert [(e, w.key) for e, w in schedule.assign()] == [
        *(("a", 90), ("b", 60)),
        *(("b", 50), ("a", 30)),
    ]
    assert list(schedule.assign()) == []
    schedule.done("a", 90)
    assert [(e, w.key) for e, w in schedule.assign()] == [("a", 20)]


def test_where_nothing_is_known_the_rows_are_spread_in_their_order() -> None:
    schedule = Schedule("abc", 100)
    schedule.add(Work(i, 4, 0.0) for i in range(6))
    assert [(e, w.key) for e, w in schedule.assign()] == list(zip("abcabc", range(6), strict=True))


def test_work_larger_than_an_engine_is_alone_there() -> None:
    schedule = Schedule("a", 4)
    schedule.add([Work("large", 9, 5.0), Work("small", 1, 1.0)])
    assert [w.key for _, w in schedule.assign()] == ["large"]
    schedule.done("a", "large")
    assert [w.key for _, w in schedule.assign()] == ["small"]


def test_what_was_lost_comes_before_what_is_shorter() -> None:
    schedule = Schedule("ab", 1)
    schedule.add(Work(t, 1, float(t)) for t in (9, 8, 7))
    assert [w.key for _, w in schedule.assign()] == [9, 8]
    assert [w.key for w in schedule.lost("a")] == [9]
    schedule.done("b", 8)
    assert [(e, w.key) for e, w in schedule.assign()] == [("b", 9)]
