"""HumanEval: 164 functions to complete (arXiv 2107.03374), with its own tests."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

HUMANEVAL = Benchmark(
    name="humaneval",
    title="HumanEval",
    domain="code",
    hub="openai/openai_humaneval::test",
    files=("humaneval", "HumanEval"),
    url="https://github.com/openai/human-eval",
    license="mit",
)
