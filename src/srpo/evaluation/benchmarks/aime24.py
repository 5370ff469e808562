"""AIME 2024, both papers: 30 problems with answers from 0 to 999."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

AIME24 = Benchmark(
    name="aime24",
    title="AIME 2024",
    domain="math",
    hub="HuggingFaceH4/aime_2024::train",
    files=("aime24", "aime_2024", "aime2024"),
    url="https://artofproblemsolving.com/wiki/index.php/AIME_Problems_and_Solutions",
)
