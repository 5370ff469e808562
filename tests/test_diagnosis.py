"""A run that learns nothing says so, and why; one that learns does not."""

from __future__ import annotations

import pytest

from srpo.diagnosis import nothing_learnt
from srpo.metrics import Row


def row(wrong: float, right: float, trained: int = 0, **more: float) -> Row:
    kinds = {"groups/all_wrong": wrong, "groups/all_correct": right}
    return kinds | {"groups/informative": 1 - wrong - right, "tokens/trained": trained} | more


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row(1, 0)] * 7, "of 7 steps had both right and wrong answers: every answer is judged wr"),
        ([row(1, 0, truncated=0.75)], "75% of them were cut at rollout.max_new_tokens"),
        ([row(0, 1)] * 3, "every answer is right. Take harder problems"),
        ([row(0.5, 0.5)] * 3, "Raise rollout.group_size or rollout.temperature"),
        ([{"groups/informative": 0.0, "errors": 64}] * 3, "none could be judged"),
    ],
)
def test_why_and_what_to_change(rows: list[Row], why: str) -> None:
    assert why in nothing_learnt(rows)


def test_what_teaches_is_not_complained_of() -> None:
    assert nothing_learnt([]) == ""
    assert nothing_learnt([row(1, 0), row(0.5, 0.25)]) == ""
    assert nothing_learnt([row(1, 0, trained=0), row(1, 0, trained=90)]) == "", "by a KL term"
    assert nothing_learnt([row(1, 0, trained=90), row(1, 0, trained=90)]) != ""
