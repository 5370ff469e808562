"""Minerva's OCWCourses (arXiv 2206.14858, section 4.1): 272 problems of MIT's courses."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

MINERVA = Benchmark(
    name="minerva",
    title="Minerva Math",
    domain="math",
    hub="math-ai/minervamath::test",
    files=("minerva", "minerva_math", "minervamath"),
    url="https://arxiv.org/abs/2206.14858",
)
