"""A slice of benchmarks/fuzz_verdicts.py, with a fresh seed."""

from __future__ import annotations

import random

from scripts import load_script

fuzz = load_script("fuzz_verdicts")


def test_extraction() -> None:
    seed = random.SystemRandom().randrange(10**9)
    assert fuzz.fuzz_extraction(seed, 5000) == []


def test_grading() -> None:
    seed = random.SystemRandom().randrange(10**9)
    assert fuzz.fuzz_grading(seed, 250) == []
