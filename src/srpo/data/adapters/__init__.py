"""Public data sets, each layout read by a file of its own (docs of each: its docstring)."""

from __future__ import annotations

from dataclasses import replace

from srpo.data.adapters.aime import AIME
from srpo.data.adapters.amc import AMC
from srpo.data.adapters.apps import APPS
from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.canonical import CANONICAL
from srpo.data.adapters.code_contests import CODE_CONTESTS
from srpo.data.adapters.deepscaler import DEEPSCALER
from srpo.data.adapters.eurus import EURUS
from srpo.data.adapters.gsm8k import GSM8K
from srpo.data.adapters.guess import guess
from srpo.data.adapters.humaneval import HUMANEVAL
from srpo.data.adapters.humanevalplus import HUMANEVALPLUS
from srpo.data.adapters.leetcode import LEETCODE
from srpo.data.adapters.livecodebench import LIVECODEBENCH
from srpo.data.adapters.math import MATH
from srpo.data.adapters.math500 import MATH500
from srpo.data.adapters.mbpp import MBPP
from srpo.data.adapters.mbppplus import MBPPPLUS
from srpo.data.adapters.minerva import MINERVA
from srpo.data.adapters.olympiadbench import OLYMPIADBENCH
from srpo.data.adapters.openr1 import OPENR1
from srpo.data.adapters.rllm import RLLM
from srpo.data.adapters.sandboxfusion import SANDBOXFUSION
from srpo.data.adapters.verl import VERL
from srpo.data.candidate import Candidate
from srpo.domains.code import parse_tests
from srpo.errors import RowFault
from srpo.types import UserError, short
from srpo.verifiers.json_values import json_fault

LAYOUTS: tuple[Layout, ...] = (  # the most specific first
    *(CANONICAL, EURUS, VERL, LIVECODEBENCH, CODE_CONTESTS, APPS, RLLM, LEETCODE),
    *(HUMANEVALPLUS, HUMANEVAL, MBPPPLUS, MBPP, SANDBOXFUSION),
    *(OPENR1, OLYMPIADBENCH, MATH500, MATH, MINERVA, AIME, AMC, DEEPSCALER, GSM8K),
)

_DEEP = "has a value that is nested too deep; give flatter values"


def find_layout(row: Row, where: str) -> Layout:
    """The layout of a set, by one of its rows. Raises UserError for one that none fits, with the
    lines of a recipe that may read it.

    Args:
        row: of the set.
        where: the set's path.
    """
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    try:
        found = next((layout for layout in LAYOUTS if layout.fits(row)), None)
    except RecursionError as error:
        raise UserError(f"{where}: {_DEEP}") from error
    if found is None:
        columns = short(sorted(map(str, row)), 300)
        raise UserError(
            f"{where}: no known layout has the columns {columns}; if the guess is right, say so in"
            f" the recipe:\n{guess(row, where)}"
        )
    return found


def read_row(layout: Layout, row: Row, source: str, number: int) -> Candidate:
    """The row as a candidate; what is missing or empty stays so. Raises RowFault for values of
    wrong types and for tests that cannot be run.

    Args:
        layout: of the row's set.
        row: of the set.
        source: the set's name, the first half of the candidate's id.
        number: of the row, from 0.
    """
    where = f"{source} row {number} ({layout.name})"
    try:
        found = Candidate(source=source, row=number, **layout.read(row))
        tests = None if found.tests is None else parse_tests(found.tests, "tests")
        _check(found)
    except KeyError as error:
        raise RowFault(f"{where}: has no column {error}") from error
    except UserError as error:
        raise RowFault(f"{where}: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise RowFault(f"{where}: {_DEEP}") from error
    if tests is not found.tests:  # asserts in a list
        return replace(found, tests=tests)
    return found


def _check(candidate: Candidate) -> None:
    for name in ("prompt", "system", "solution", "reference"):
        value = getattr(candidate, name)
        if not isinstance(value, str) and (value is not None or name == "prompt"):
            raise RowFault(f"{name} is {short(value)}: expected a text")
    for name in ("prompt", "answer", "system", "solution", "reference", "meta"):
        if fault := json_fault(getattr(candidate, name), name):
            raise RowFault(fault)
