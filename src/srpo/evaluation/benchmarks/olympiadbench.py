"""OlympiadBench: its English problems of mathematics without pictures that end in an answer."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

OLYMPIADBENCH = Benchmark(
    name="olympiadbench",
    title="OlympiadBench (OE_TO_maths_en_COMP)",
    domain="math",
    hub="Hothan/OlympiadBench:OE_TO_maths_en_COMP:train",
    files=("olympiadbench", "OE_TO_maths_en_COMP"),
    url="https://github.com/OpenBMB/OlympiadBench",
)
