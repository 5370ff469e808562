"""MBPP+: 378 problems of MBPP with EvalPlus' further tests (arXiv 2305.01210)."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

MBPPPLUS = Benchmark(
    name="mbppplus",
    title="MBPP+",
    domain="code",
    hub="evalplus/mbppplus::test",
    files=("mbppplus", "MbppPlus*"),
    url="https://github.com/evalplus/evalplus",
    license="apache-2.0",
    errata={
        "Mbpp/596": "asks for what sys.getsizeof says of this Python",
        "Mbpp/599": "its own reference takes longer than ten seconds",
    },
)
