"""An evaluation at work: what is asked, judged and kept, part by part, and the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from srpo.errors import EngineError
from srpo.evaluation.graders.beside import Beside
from srpo.evaluation.numbers import numbers, solved
from srpo.evaluation.sets import ProblemSet
from srpo.evaluation.store import Responses, Row, answer_of, read_part, rows_of
from srpo.files import replacing, write_whole
from srpo.recipe.evaluation import Evaluation
from srpo.types import FinishReason, Group, Outcome, Problem, UserError
from srpo.verifiers.pool import VerifierPool
from srpo.versions import versions

OnPhase = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Sampled:
    """Rows from a model: `ask` gives the groups of some problems."""

    ask: Callable[[list[Problem]], list[Group]]

    def rows(self, name: str, number: int, problems: list[Problem]) -> list[Row]:
        groups = self.ask(problems)
        given_up = [r for g in groups for r in g.rollouts if r.finish_reason is FinishReason.ABORT]
        if given_up:
            raise EngineError(
                f"{name}: the engine gave up on {len(given_up)} responses, twice each; nothing of"
                " these problems is kept, and the same command tries again"
            )
        return [row for group in groups for row in rows_of(name, group)]


@dataclass(frozen=True)
class Regraded:
    """Rows of another evaluation, judged anew."""

    earlier: Responses
    judges: VerifierPool

    def rows(self, name: str, number: int, problems: list[Problem]) -> list[Row]:
        rows = read_part(self.earlier.part(name, number))
        return judged(rows, problems, self.judges)


def judged(rows: list[Row], problems: Sequence[Problem], judges: VerifierPool) -> list[Row]:
    """The rows with the verdicts of now."""
    by_id = {p.id: p for p in problems}
    running = [judges.submit(by_id[row["id"]], row["response"]) for row in rows]
    found = []
    for row, future in zip(rows, running, strict=True):
        verdict = future.result()
        changed = {"outcome": str(verdict.outcome), "answer": verdict.answer}
        found.append(row | changed | {"detail": verdict.detail})
    return found


@dataclass
class Evaluating:
    """An evaluation at work in its folder.

    problems_a_part   of which the responses are kept together: a kill loses one part at most
    """

    out: Path
    config: Evaluation
    sets: list[ProblemSet]
    source: Sampled | Regraded
    judges: VerifierPool
    beside: Beside
    problems_a_part: int
    on_phase: OnPhase

    def run(self) -> Path:
        """Everything that is not there yet, and the result. Raises UserError where a response has
        no verdict: a share of fewer than all would be another number."""
        responses = Responses(self.out)
        for one in self.sets:
            for number, problems in enumerate(self._parts(one)):
                self._part(responses, one, number, problems)
        self._write_problems()
        lacking = [e for one in self.sets if (e := self._errors(responses, one))]
        if lacking:
            raise UserError(
                f"{' and '.join(lacking)}; no numbers are given. Mend it (srpo doctor): the same"
                " command judges these again"
            )
        result = self.result(responses)
        write_whole(self.out / "result.json", json.dumps(result, indent=1, ensure_ascii=False))
        return self.out / "result.json"

    def _parts(self, one: ProblemSet) -> list[list[Problem]]:
        size = self.problems_a_part
        return [one.problems[i : i + size] for i in range(0, len(one.problems), size)]

    def _part(
        self, responses: Responses, one: ProblemSet, number: int, problems: list[Problem]
    ) -> None:
        n, file = self.config.samples, responses.part(one.name, number)
        self.on_phase(one.name, number * self.problems_a_part * n, len(one.problems) * n)
        there = file.is_file()
        rows = read_part(file) if there else self.source.rows(one.name, number, problems)
        if [row["id"] for row in rows] != [p.id for p in problems for _ in range(n)]:
            raise UserError(
                f"{file}: not {n} responses to each of its problems, and fewer than were asked for"
                " would be another number: delete it, and the same command makes it anew"
            )
        failed = [row for row in rows if row["outcome"] == Outcome.ERROR]
        if there and not failed:
            return
        if there:
            again = iter(judged(failed, problems, self.judges))
            rows = [next(again) if row["outcome"] == Outcome.ERROR else row for row in rows]
        self.beside.fill(rows, problems)
        responses.write(one.name, number, rows)

    def _errors(self, responses: Responses, one: ProblemSet) -> str:
        """Whether some responses have no verdict, in words."""
        count, total, first = 0, 0, ""
        for rows in responses.parts(one.name, len(self._parts(one))):
            failed = [row for row in rows if row["outcome"] == Outcome.ERROR]
            first = first or (failed[0]["detail"] if failed else "")
            count, total = count + len(failed), total + len(rows)
        if not count:
            return ""
        return f"{count} of {total} responses of {one.name} have no verdict (the first: {first})"

    def result(self, responses: Responses) -> dict[str, Any]:
        """All that is said of the model: the same for the same responses."""
        return {
            "model": self.config.model,
            "versions": versions(),
            "config": self.config.model_dump(mode="json"),
            "sets": [
                {
                    "name": one.name,
                    "title": one.title,
                    "domain": one.domain,
                    "data": one.record,
                    "numbers": self._numbers(responses, one, None),
                    "beside": {
                        grader: self._numbers(responses, one, grader)
                        for grader in self.beside.of(one.problems)
                    },
                }
                for one in self.sets
            ],
        }

    def _numbers(self, responses: Responses, one: ProblemSet, grader: str | None) -> dict[str, Any]:
        majority = one.domain != "code"
        reduced = [
            solved([answer_of(row, grader) for row in rows], majority)
            for rows in responses.problems(one.name, len(self._parts(one)))
        ]
        return numbers(reduced, self.config.samples)

    def _write_problems(self) -> None:
        rows = [
            {"benchmark": one.name, "id": p.id, "prompt": p.prompt, "gold": _gold(p)}
            for one in self.sets
            for p in one.problems
        ]
        with replacing(self.out / "problems.parquet") as unfinished:
            pq.write_table(pa.Table.from_pylist(rows), unfinished)


def _gold(problem: Problem) -> str:
    if problem.tests is not None:
        return f"tests of type {problem.tests['type']}"
    golds = problem.answer if isinstance(problem.answer, tuple) else (problem.answer or "",)
    return " or ".join(golds)
