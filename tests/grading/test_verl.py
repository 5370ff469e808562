"""Our reward called as verl calls a custom reward function: by keyword, from a loaded file."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

import srpo.grading.verl as adapter
from srpo.types import TrainingError
from walls import needs_walls


@pytest.fixture(scope="module")
def compute_score():
    spec = importlib.util.spec_from_file_location("custom_module", adapter.__file__)
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.compute_score
    module._grader().close()


@pytest.mark.parametrize(
    ("gold", "text", "acc"),
    [
        ("42", "It is \\boxed{42}", 1.0),
        ("42", "It is \\boxed{43}", 0.0),
        ("\\{1, 2\\}", "\\boxed{\\{2, 1\\}}", 1.0),
        (["7", "8"], "\\boxed{8}", 1.0),
    ],
)
def test_mathematics(compute_score: Any, gold: Any, text: str, acc: float):
    got = compute_score(
        data_source="d", solution_str=text, ground_truth=gold, extra_info={"question": "?"}
    )
    assert got == {"score": acc + 0.1, "acc": acc, "format": 1.0, "language": 0.0}


@needs_walls
def test_code(compute_score: Any):
    tests = {"type": "asserts", "asserts": ["assert f(2) == 4"]}
    text = "```python\ndef f(x): return 2 * x\n```"
    for gold in (tests, json.dumps(tests)):
        assert compute_score("d", text, gold)["acc"] == 1.0
        assert compute_score("d", text.replace("2 *", "3 *"), gold)["acc"] == 0.0
    with pytest.raises(TrainingError, match="the verifier failed"):
        compute_score("d", text, tests | {"setup": "1 / 0"})
