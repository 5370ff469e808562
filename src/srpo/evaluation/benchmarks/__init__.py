"""The benchmarks by name, a file each."""

from __future__ import annotations

import difflib

from srpo.evaluation.benchmarks.aime24 import AIME24
from srpo.evaluation.benchmarks.aime25 import AIME25
from srpo.evaluation.benchmarks.amc23 import AMC23
from srpo.evaluation.benchmarks.base import Benchmark
from srpo.evaluation.benchmarks.gsm8k import GSM8K
from srpo.evaluation.benchmarks.hmmt import HMMT
from srpo.evaluation.benchmarks.humaneval import HUMANEVAL
from srpo.evaluation.benchmarks.humanevalplus import HUMANEVALPLUS
from srpo.evaluation.benchmarks.leetcode import LEETCODE
from srpo.evaluation.benchmarks.livecodebench import LIVECODEBENCH
from srpo.evaluation.benchmarks.math500 import MATH500
from srpo.evaluation.benchmarks.mbpp import MBPP
from srpo.evaluation.benchmarks.mbppplus import MBPPPLUS
from srpo.evaluation.benchmarks.minerva import MINERVA
from srpo.evaluation.benchmarks.olympiadbench import OLYMPIADBENCH
from srpo.types import UserError, short

BENCHMARKS = {
    b.name: b
    for b in (
        *(AIME24, AIME25, AMC23, MATH500, MINERVA, OLYMPIADBENCH, HMMT, GSM8K),
        *(LIVECODEBENCH, HUMANEVAL, HUMANEVALPLUS, MBPP, MBPPPLUS, LEETCODE),
    )
}


def find_benchmark(name: str) -> Benchmark:
    """By its name. Raises UserError with the nearest names."""
    if name in BENCHMARKS:
        return BENCHMARKS[name]
    plain = {key.replace("plus", "+"): key for key in BENCHMARKS}
    wanted = name.lower().replace("-", "").replace("_", "")
    close = difflib.get_close_matches(wanted, [*BENCHMARKS, *plain], n=2, cutoff=0.5)
    hint = " or ".join(dict.fromkeys(repr(plain.get(c, c)) for c in close))
    meant = f"did you mean {hint}? " if hint else ""
    raise UserError(
        f"--on: {short(name)} is no benchmark; {meant}known are {', '.join(BENCHMARKS)}, and"
        " nano:math, nano:code, heldout (a run's own) and files"
    )
