"""Published keyword lists, so that their numbers can be compared with ours on the same texts.

Each counts a response as reflective where one of its words stands anywhere in it; in any case, but
for Open-Reasoner-Zero's, which are looked for as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# https://github.com/sail-sg/understand-r1-zero, analysis/keyword_count.py at f6df97e
UNDERSTAND_R1_ZERO = (
    "recheck",
    "rethink",
    "reassess",
    "reevaluate",
    "re-evaluate",
    "reevaluation",
    "re-examine",
    "reexamine",
    "reconsider",
    "reanalyze",
    "double-check",
    "check again",
    "think again",
    "verify again",
    "go over the steps",
)
# https://github.com/sail-sg/oat-zero, analysis/eval_self_reflect.py at 41ed659: its lists are by
# the model's family; this is the one for deepseek. Since c99fa82 it has one for all, of 11 words.
OAT_ZERO = (
    "reevaluate",
    "reevaluation",
    "recheck",
    "rethink",
    "check again",
    "re-evaluate",
    "try again",
    "re-examine",
)

# https://github.com/Open-Reasoner-Zero/Open-Reasoner-Zero, check_reflection_pattern in
# orz/ppo/utils.py at 3fdd9a0. "Wait," at the start of a sentence is none of them.
OPEN_REASONER_ZERO = (r"wait,", r"recheck[,\s]", r"retry", r"alternatively,", r"however,")
# https://github.com/hkust-nlp/simpleRL-reason, examples/simplelr_math_eval/sh/collect_results.py at
# cf1c785.
SIMPLERL = ("recheck", "rethink", "try again", "wait", "alternatively", "retry", "however")


def _in_any_case(words: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Not in small letters: those of some characters are two, and later places would shift."""
    return tuple(re.compile(word, re.IGNORECASE) for word in words)


PUBLISHED: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "understand-r1-zero": _in_any_case(UNDERSTAND_R1_ZERO),
    "oat-zero": _in_any_case(OAT_ZERO),
    "open-reasoner-zero": tuple(map(re.compile, OPEN_REASONER_ZERO)),
    "simplerl": _in_any_case(SIMPLERL),
}
