"""HumanEval+: HumanEval with EvalPlus' further tests (arXiv 2305.01210)."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

HUMANEVALPLUS = Benchmark(
    name="humanevalplus",
    title="HumanEval+",
    domain="code",
    hub="evalplus/humanevalplus::test",
    files=("humanevalplus", "HumanEvalPlus*"),
    url="https://github.com/evalplus/evalplus",
    license="apache-2.0",
)
