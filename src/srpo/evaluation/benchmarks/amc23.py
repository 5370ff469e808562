"""AMC 12 of 2023, A and B: 40 of its problems, with the number that answers instead of options."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

AMC23 = Benchmark(
    name="amc23",
    title="AMC 2023",
    domain="math",
    hub="math-ai/amc23::test",
    files=("amc23", "amc_2023", "amc2023"),
    url="https://artofproblemsolving.com/wiki/index.php/AMC_12_Problems_and_Solutions",
)
