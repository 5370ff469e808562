"""Published keyword lists, so that their numbers can be compared with ours on the same texts.

Each counts a response as reflective where one of its words stands anywhere in it, in small letters.
"""

from __future__ import annotations

from collections.abc import Mapping

# https://github.com/sail-sg/understand-r1-zero, analysis/keyword_count.py
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
# https://github.com/sail-sg/oat-zero, analysis/eval_self_reflect.py: its lists are by the model's
# family; this is the one for deepseek.
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

PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "understand-r1-zero": UNDERSTAND_R1_ZERO,
    "oat-zero": OAT_ZERO,
}
