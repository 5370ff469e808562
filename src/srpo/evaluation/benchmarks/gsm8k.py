"""GSM8K: the 1,319 test problems of arXiv 2110.14168."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

GSM8K = Benchmark(
    name="gsm8k",
    title="GSM8K",
    domain="math",
    hub="openai/gsm8k:main:test",
    files=("gsm8k_test", "gsm8k"),
    url="https://github.com/openai/grade-school-math",
    license="mit",
)
