"""How many reference programs of public sets pass their own tests here; each miss is named.

    python benchmarks/code_references.py FOLDER [--python VENV] [--sets mbpp ...]

FOLDER holds the public files (see code_sets.py). HumanEval+ and MBPP+ need numpy, LeetCode
sortedcontainers: VENV is a virtual environment that has them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from code_sets import LEETCODE_TEST, Item, evalplus, humaneval, leetcode, mbpp, sample

from srpo.domains import find_domain
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome
from srpo.verifiers.pool import VerifierPool

SETS: dict[str, Callable[[Path], Iterator[Item]]] = {
    "humaneval": humaneval,
    "humaneval+": lambda folder: evalplus(folder, "humanevalplus"),
    "mbpp": mbpp,
    "mbpp+": lambda folder: evalplus(folder, "mbppplus"),
    "leetcode": lambda folder: iter(sample(leetcode(folder, LEETCODE_TEST), 200)),
}
TIME_LIMIT_S = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    given = parser.parse_args()
    config = VerifierConfig(
        workers=given.workers, time_limit_s=TIME_LIMIT_S, memory_mb=2048, python=given.python
    )
    with VerifierPool(config, [find_domain("code")]) as pool:
        for name in given.sets:
            _run(pool, name, list(SETS[name](given.folder)))


def _run(pool: VerifierPool, name: str, items: list[Item]) -> None:
    start = time.perf_counter()
    for item in items:
        (item.problem.tests or {})["time_limit_s"] = TIME_LIMIT_S
    running = [pool.submit_program(item.problem, item.reference) for item in items]
    verdicts = [future.result() for future in running]
    right = sum(verdict.outcome is Outcome.CORRECT for verdict in verdicts)
    print(f"{name}: {right} of {len(items)} in {time.perf_counter() - start:.0f} s", flush=True)
    for item, verdict in zip(items, verdicts, strict=True):
        if verdict.outcome is not Outcome.CORRECT:
            print(f"  {item.problem.id}: {verdict.outcome}: {verdict.detail[:200]}", flush=True)


if __name__ == "__main__":
    main()
