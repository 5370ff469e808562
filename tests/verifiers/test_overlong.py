"""What a response near its limit loses, by DAPO's formula."""

from __future__ import annotations

import pytest

from srpo.verifiers.overlong import overlong


@pytest.mark.parametrize(
    ("tokens", "lost"), [(0, 0), (80, 0), (81, 0.05), (90, 0.5), (100, 1), (101, 1)]
)
def test_numbers_by_hand(tokens: int, lost: float) -> None:
    assert overlong(tokens, 100, 20) == pytest.approx(lost)
    assert overlong(tokens, 100, None) == 0.0
