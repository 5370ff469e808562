"""HMMT of February 2025: 30 problems of its individual rounds, as MathArena asks them."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

HMMT = Benchmark(
    name="hmmt",
    title="HMMT February 2025",
    domain="math",
    hub="MathArena/hmmt_feb_2025::train",
    files=("hmmt", "hmmt_feb_2025"),
    url="https://matharena.ai",
)
