"""A slice of benchmarks/fuzz_verdicts.py, with a fresh seed."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "fuzz_verdicts.py"
spec = importlib.util.spec_from_file_location("fuzz_verdicts", SCRIPT)
assert spec is not None
assert spec.loader is not None
fuzz = importlib.util.module_from_spec(spec)
sys.modules["fuzz_verdicts"] = fuzz
spec.loader.exec_module(fuzz)


def test_extraction() -> None:
    seed = random.SystemRandom().randrange(10**9)
    assert fuzz.fuzz_extraction(seed, 5000) == []


def test_grading() -> None:
    seed = random.SystemRandom().randrange(10**9)
    assert fuzz.fuzz_grading(seed, 250) == []
