"""Programs with official LiveCodeBench verdicts, judged once more by both of our graders.

    python benchmarks/lcb_replay.py FOLDER [--python VENV] [--edition 2025-01] [--seconds 6]

FOLDER holds the 880 programs of O1-Mini-2024-09-12 with their official verdicts
(livecodebench_v5_o1mini_official.json) and the problems' public tests
(livecodebench_v5_public_tests.json), joined on the statement. Public tests are a part of those that
the official verdicts come from: a program that passed there has to pass here. Some programs import
numpy: VENV is a virtual environment that has it.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from srpo.data.adapters.cases import cases_of
from srpo.evaluation.graders.lcb import EDITIONS, LcbVerifier, last_block
from srpo.sandbox.base import Limits
from srpo.sandbox.mechanisms import open_sandbox
from srpo.types import Outcome, Problem
from srpo.verifiers.code.verifier import CodeVerifier

OFFICIAL = "livecodebench_v5_o1mini_official.json"
PUBLIC = "livecodebench_v5_public_tests.json"
KINDS = {-2: "wrong answer", -3: "time limit exceeded", -4: "runtime error", -5: "runner error"}
READS = {"open(0)": r"\bopen\(0", "global": r"^\s*global ", "buffer": r"\bstdin\.buffer\b"}


@dataclass(frozen=True)
class Replayed:
    """One program: what is said of it there, by the compatible grader, and by ours."""

    id: str
    official: str  # "" when it passed
    lcb: str
    process: str
    reads: str  # which of READS is in it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--edition", choices=EDITIONS, default=EDITIONS[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="of each test, for both")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    jobs = list(joined(given.folder))
    start = time.perf_counter()
    sandbox = open_sandbox("auto", given.workers, python=given.python)
    limits = Limits(time_s=given.seconds, memory_mb=4096)
    lcb, ours = LcbVerifier(sandbox, limits, given.edition), CodeVerifier(sandbox, limits)

    def replay(job: tuple[Problem, str, str]) -> Replayed:
        problem, text, official = job
        code = last_block(text)
        reads = ", ".join(name for name, how in READS.items() if re.search(how, code, re.M))
        said = _said(lcb, problem, text), _said(ours, problem, text)
        return Replayed(problem.id, official, said[0], said[1], reads)

    with ThreadPoolExecutor(given.workers) as pool:
        rows = list(pool.map(replay, jobs))
    lcb.close()
    show(rows, time.perf_counter() - start)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def joined(folder: Path) -> Iterator[tuple[Problem, str, str]]:
    """Problem with public tests, the response, and why it failed officially ("": it passed)."""
    public = {row["problem"]: row for row in json.loads((folder / PUBLIC).read_text())}
    for row in json.loads((folder / OFFICIAL).read_text()):
        if tests := public.get(row["question_content"]):
            read = cases_of(tests["tests"], "tests", tests["starter_code"])
            problem = Problem(row["question_id"], "code", row["question_content"], tests=read)
            code = json.loads(row["metadata"][0]).get("error_code")
            passed = row["graded_list"][0]
            yield problem, row["output_list"][0], "" if passed else KINDS[code]


def _said(grader: LcbVerifier | CodeVerifier, problem: Problem, text: str) -> str:
    verdict = grader(problem, text)
    return "" if verdict.outcome is Outcome.CORRECT else verdict.detail


def show(rows: list[Replayed], seconds: float) -> None:
    """The confusion, what must not be, and the programs of which the two say different things."""
    print(f"{len(rows)} programs by both graders in {seconds:.0f} s")
    counts = Counter((not r.official, not r.lcb, not r.process) for r in rows)
    print("official  lcb-compatible  process  programs")
    for key, count in sorted(counts.items(), reverse=True):
        words = ["passed" if passed else "failed" for passed in key]
        print(f"{words[0]:9} {words[1]:15} {words[2]:8} {count:8}")
    for name in READS:
        some = [r for r in rows if name in r.reads.split(", ")]
        passed = [sum(not w for w in (r.official, r.lcb, r.process)) for r in some]
        print(f"{name}: {len(some)} programs; verdicts that passed, of three each: {passed}")
    broken = [r for r in rows if not r.official and r.lcb]
    print(f"passed there, failed by lcb-compatible (must be 0): {len(broken)}")
    _table(broken)
    print("\nthe two graders disagree:")
    _table([r for r in rows if bool(r.lcb) != bool(r.process)])


def _table(rows: list[Replayed]) -> None:
    for r in rows:
        says = [(word or "passed").replace("|", "\\|") for word in (r.official, r.lcb, r.process)]
        print(f"| {r.id} | {' | '.join(says)} |")


if __name__ == "__main__":
    main()
