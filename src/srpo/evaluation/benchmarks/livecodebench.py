"""LiveCodeBench's code generation: contest problems with dates (arXiv 2403.07974)."""

from __future__ import annotations

from srpo.evaluation.benchmarks.base import Benchmark

# https://github.com/LiveCodeBench/LiveCodeBench/blob/main/ERRATA.md
_SEVERAL = "more outputs are right than the one that is expected"
_INTERACTIVE = "a dialogue with a judge, which no test carries"
_ERRATA = {
    "abc311_c": _SEVERAL,
    "abc326_d": _SEVERAL,
    "abc327_b": _SEVERAL,
    "abc333_e": _SEVERAL,
    "abc343_e": _SEVERAL,
    "abc362_c": _SEVERAL,
    "find-words-containing-character": _SEVERAL,
    "find-the-peaks": _SEVERAL,
    "generate-binary-strings-without-adjacent-zeros": _SEVERAL,
    "abc337_e": _INTERACTIVE,
    "abc355_e": _INTERACTIVE,
    "abc350_c": "its tests were read wrongly",
}

LIVECODEBENCH = Benchmark(
    name="livecodebench",
    title="LiveCodeBench",
    domain="code",
    hub="livecodebench/code_generation_lite",
    hub_files=("test.jsonl", *(f"test{n}.jsonl" for n in range(2, 7))),
    files=("livecodebench*", "test", "test[2-6]"),
    url="https://livecodebench.github.io",
    dated=True,
    errata=_ERRATA,
)
