"""`srpo grade`: a file of problems and responses in, a file of verdicts out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from srpo.data.problem import parse_problem
from srpo.data.sources import json_rows
from srpo.grading.grade import Grader
from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.types import Outcome, Problem, UserError, short


@dataclass
class Tally:
    """How many responses of each domain came out how."""

    counts: dict[str, Counter[Outcome]] = field(default_factory=dict)

    def count(self, domain: str, outcome: Outcome) -> None:
        """One more response."""
        self.counts.setdefault(domain, Counter())[outcome] += 1

    @property
    def errors(self) -> int:
        """Failures of ours, in all domains."""
        return sum(counter[Outcome.ERROR] for counter in self.counts.values())


def grade_file(
    path: Path,
    out: IO[str],
    verifier: VerifierConfig,
    rewards: RewardConfig,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tally:
    """Grade every row of a .jsonl file, {"problem": {...}, "response": "..."}, in its order.

    Every row is checked before the first is graded: a bad one, named by its line, costs no
    work. Raises UserError. Memory does not grow with the file.
    """
    total, domains = _check(path)
    tally = Tally()
    with Grader(verifier, rewards, domains) as grader:
        for done, graded in enumerate(grader.grade_many(_pairs(path)), 1):
            tally.count(graded.domain, graded.verdict.outcome)
            out.write(json.dumps(graded.row()) + "\n")
            progress(done, total)
    return tally


def _check(path: Path) -> tuple[int, set[str]]:
    total, domains = 0, set()
    for problem, _ in _pairs(path):
        total += 1
        domains.add(problem.domain)
    if not total:
        raise UserError(f"{path}: holds no rows; give one JSON object a line")
    return total, domains


def _pairs(path: Path) -> Iterator[tuple[Problem, str]]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a .jsonl file")
    for number, row in enumerate(json_rows(path, str(path)), 1):
        where = f"{path} row {number}"
        if unknown := sorted(set(row) - {"problem", "response"}):
            known = "give 'problem', 'response'"
            raise UserError(f"{where}: unknown key {short(unknown[0])}; {known}")
        response = row.get("response")
        if not isinstance(response, str):
            raise UserError(f"{where}: response is {short(response)}; give the model's text")
        yield parse_problem(row.get("problem"), f"{where}: problem"), response
