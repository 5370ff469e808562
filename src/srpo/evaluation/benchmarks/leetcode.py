"""LeetCodeDataset's test split (arXiv 2504.14655): 228 problems from July 2024 on."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

LEETCODE = Benchmark(
    name="leetcode",
    title="LeetCodeDataset",
    domain="code",
    hub="newfacade/LeetCodeDataset::test",
    files=("leetcode_test*", "LeetCodeDataset*test*"),
    url="https://github.com/newfacade/LeetCodeDataset",
    license="mit",
    dated=True,
)
