"""AIME 2025, both papers: 30 problems with answers from 0 to 999."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

AIME25 = Benchmark(
    name="aime25",
    title="AIME 2025",
    domain="math",
    hub="MathArena/aime_2025::train",
    files=("aime25", "aime_2025", "aime2025", "aime25_*"),
    url="https://matharena.ai",
)
