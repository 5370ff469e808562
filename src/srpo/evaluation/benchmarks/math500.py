"""MATH-500: those of MATH's test problems that arXiv 2305.20050 left out of its training data."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

MATH500 = Benchmark(
    name="math500",
    title="MATH-500",
    domain="math",
    hub="HuggingFaceH4/MATH-500::test",
    files=("math500", "math_500", "MATH-500"),
    url="https://github.com/openai/prm800k",
    license="mit",
)
