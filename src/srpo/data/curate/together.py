"""What only all rows together show: shared tests, duplicates, evaluation problems.

Each stage passes over the rows once or twice, and gives them anew with what it found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from srpo.data.candidate import Candidate
from srpo.data.curate.alone import read
from srpo.data.curate.clean import clean
from srpo.data.curate.code_tests import shared_tests, tests_digests
from srpo.data.curate.contamination import Contamination
from srpo.data.curate.duplicates import Duplicates, Finding, Known, resolve
from srpo.data.curate.judged import Judged
from srpo.data.curate.raw import Raw
from srpo.verifiers.math.answer import nesting
from srpo.verifiers.math.compare import ExactLeaves, equivalent

OnPhase = Callable[[str, int, int], None]
Rows = Callable[[], Iterator[Judged]]  # all rows anew, as they stand after a stage

DIGITS = 6  # as the verifier of mathematics has it
MAX_NESTING = 40


def without_shared_tests(rows: Rows, allow: list[str]) -> Rows:
    """Drop the code problems whose tests are those of other statements."""
    code = (j.candidate for j in rows() if j.stays and j.candidate.domain == "code")
    shared = shared_tests((c.prompt, digest) for c in code for digest in tests_digests(c))

    def applied(judged: Judged) -> Judged:
        if not shared or not judged.stays or judged.candidate.domain != "code":
            return judged
        found = shared & tests_digests(judged.candidate)
        evidence = "its tests stand at problems with other statements, too"
        return judged.dropped("filter", "shared_tests", evidence, allow) if found else judged

    return lambda: map(applied, rows())


def without_duplicates(rows: Rows, allow: list[str], on_phase: OnPhase) -> Rows:
    """Drop copies, and rows of one text that disagree; memory grows by 300 bytes a row."""
    duplicates = Duplicates()
    for done, judged in enumerate(filter(_stays, rows()), 1):
        duplicates.add(judged.candidate.prompt)
        on_phase("find duplicates", done, 0)
    groups, pairs = duplicates.suspicious()
    named = {place for group in (*groups, *pairs) for place in group}
    staying = enumerate(filter(_stays, rows()))
    known = {place: _known(j.candidate) for place, j in staying if place in named}
    found = resolve(groups, pairs, known, same_answer)
    by_id = {known[place].id: finding for place, finding in found.items()}
    return lambda: (_with(j, by_id.get(j.candidate.id), allow) for j in rows())


def _stays(judged: Judged) -> bool:
    return judged.stays


def _known(c: Candidate) -> Known:
    if c.domain == "math":
        return Known(c.id, c.domain, c.prompt, c.answer)
    digests = sorted(tests_digests(c)) or [json.dumps(c.tests, sort_keys=True, default=str)]
    return Known(c.id, c.domain, c.prompt, tuple(digests))


def _with(judged: Judged, finding: Finding | None, allow: list[str]) -> Judged:
    if finding is None or not judged.stays:
        return judged
    if not finding.reason:
        return judged.noted(f"near copy: {finding.evidence}")
    return judged.dropped("duplicates", finding.reason, finding.evidence, allow)


def same_answer(one: Known, other: Known) -> bool:
    """Whether any gold of the one is equal to any of the other; of code, whether the tests are."""
    if one.domain != other.domain:
        return False
    if set(one.answer) & set(other.answer):
        return True
    return one.domain == "math" and any(_equal(a, b) for a in one.answer for b in other.answer)


def _equal(a: str, b: str) -> bool:
    """What structure and exact numbers decide; sympy is not asked."""
    if max(len(a), len(b)) > 1000 or max(nesting(a), nesting(b)) > MAX_NESTING:
        return False
    return equivalent(a, b, ExactLeaves(DIGITS)) is True


def without_evaluation_problems(
    rows: Rows, against: list[Raw], allow: list[str], on_phase: OnPhase
) -> Rows:
    """Drop the problems of evaluation sets; note what resembles one."""
    problems = [(c.id, c.prompt) for raw in against for c in _candidates(raw)]
    if not problems:
        return rows
    contamination = Contamination(problems)
    for done, judged in enumerate(filter(_stays, rows()), 1):
        contamination.count(judged.candidate.prompt)
        on_phase("find evaluation problems", done, 0)

    def applied(judged: Judged) -> Judged:
        match = contamination.match(judged.candidate.prompt) if judged.stays else None
        if match is None:
            return judged
        said = f"{match.share:.0%} of {match.eval_id}: {match.words}"
        if match.is_copy:
            return judged.dropped("contamination", "contaminated", said, allow)
        return judged.noted(f"resembles an evaluation problem: {said}")

    return lambda: map(applied, rows())


def _candidates(raw: Raw) -> Iterable[Candidate]:
    """Those of an evaluation set, cleaned like the rows."""
    for number, row in raw.rows():
        found = read(raw, number, row)
        if isinstance(found, Candidate):
            yield clean(found)
