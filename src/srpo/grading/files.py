"""`srpo grade`: a file of problems and responses in, a file of verdicts out."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from srpo.data.problem import KEYS, parse_problem
from srpo.data.rows import rows_of
from srpo.grading.grade import OUTPUT_KEYS, Grader
from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.types import Outcome, Problem, UserError, short
from srpo.verifiers.json_values import json_fault

ERRORS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One row of a file; `more` are the columns that it has beside problem and response."""

    number: int
    problem: Problem
    response: str
    more: dict[str, Any]


@dataclass
class Tally:
    """How many responses of each domain came out how, and the first rows in error."""

    counts: dict[str, Counter[Outcome]] = field(default_factory=dict)
    first_errors: list[str] = field(default_factory=list)

    def count(self, row: AnswerRow, outcome: Outcome, detail: str) -> None:
        """One more response."""
        self.counts.setdefault(row.problem.domain, Counter())[outcome] += 1
        if outcome is Outcome.ERROR and len(self.first_errors) < ERRORS_SHOWN:
            self.first_errors.append(f"row {row.number} ({short(row.problem.id)}): {detail[:200]}")

    @property
    def errors(self) -> int:
        """Failures of ours, in all domains."""
        return sum(counter[Outcome.ERROR] for counter in self.counts.values())


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at all rows found.

    repeats  a line on ids that came more than once, "" where none did
    digest   of all that the rows say
    """

    total: int
    domains: set[str]
    repeats: str
    digest: str


class AnswerFile(AbstractContextManager["AnswerFile"]):
    """A .jsonl file, {"problem": {...}, "response": "..."} or a problem's columns and `response` a
    line, plain or as .gz; "-" is standard input. It is read more than once. Raises
    UserError for what cannot be read."""

    def __init__(self, path: Path, stdin: IO[bytes] | None = None) -> None:
        self.name = "standard input" if str(path) == "-" else str(path)
        self._path = path
        self._kept: IO[bytes] | None = None
        if str(path) == "-":
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
            shutil.copyfileobj(stdin or sys.stdin.buffer, self._kept)
        elif path.is_dir():
            raise UserError(f"{path}: is a folder; give a .jsonl file")
        elif not path.is_file():
            raise UserError(f"{path}: no such file; give a .jsonl file")

    def rows(self) -> Iterator[AnswerRow]:
        """Every row, checked. Raises UserError that names the row."""
        with self._opened() as file:
            for number, row in enumerate(self._json(file), 1):
                yield _answer_row(row, number, f"{self.name} row {number}")

    def check(self) -> Checked:
        """Look at every row: a bad one costs no work. What is kept of each is its id."""
        digest, seen, domains = hashlib.sha256(), _Seen(), set()
        total = 0
        for row in self.rows():
            total += 1
            domains.add(row.problem.domain)
            problem = row.problem
            said = [problem.id, problem.domain, problem.prompt, problem.answer, problem.tests]
            of_problem = hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).digest()
            digest.update(of_problem + repr((row.response, row.more)).encode("utf-8", "replace"))
            seen.add(row, of_problem[:8])
        if not total:
            raise UserError(f"{self.name}: holds no rows; give one JSON object a line")
        return Checked(total, domains, seen.line(), digest.hexdigest())

    def _json(self, file: IO[bytes]) -> Iterator[dict[str, Any]]:
        try:
            yield from rows_of(file, self.name)
        except (gzip.BadGzipFile, EOFError) as error:
            raise UserError(f"{self.name}: no whole gzip file ({error}); write it anew") from error

    def _opened(self) -> AbstractContextManager[IO[bytes]]:
        if self._kept is not None:
            self._kept.seek(0)
            return nullcontext(self._kept)  # it is read again
        if self._path.suffix == ".gz":
            packed: Any = gzip.open(self._path)  # noqa: SIM115 (closed by the reader)
            return packed
        return self._path.open("rb")

    def __exit__(self, *_: object) -> None:
        if self._kept is not None:
            self._kept.close()


class _Seen:
    """Ids that come again: several responses to one problem, or a mistake."""

    def __init__(self) -> None:
        self._problems: dict[str, bytes] = {}
        self._again = self._other = 0
        self._first = ""

    def add(self, row: AnswerRow, of_problem: bytes) -> None:
        before = self._problems.setdefault(row.problem.id, of_problem)
        if self._problems[row.problem.id] is of_problem:
            return
        self._again += 1
        self._other += before != of_problem
        if before != of_problem and not self._first:
            self._first = f"row {row.number} ({short(row.problem.id)})"

    def line(self) -> str:
        if self._other:
            what = "with another problem than before: the first is"
            return f"{self._other:,} rows have an id that came before, {what} {self._first}"
        return f"{self._again:,} rows have an id that came before" if self._again else ""


def _answer_row(row: dict[str, Any], number: int, where: str) -> AnswerRow:
    problem, more = _parts(row)
    for name in more:
        if name in OUTPUT_KEYS:
            raise UserError(f"{where}: the column {short(name)} is one of the output; rename it")
    if fault := json_fault(more, where):
        raise UserError(fault)
    response = row.get("response")
    if not isinstance(response, str):
        raise UserError(f"{where}: response is {short(response)}; give the model's text")
    parsed = parse_problem(problem, f"{where}: problem", default_id=f"row {number}")
    return AnswerRow(number, parsed, response, more)


def _parts(row: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The problem, which may stand beside its response in one flat row, and the other columns."""
    if "problem" in row:
        more = {key: value for key, value in row.items() if key not in ("problem", "response")}
        return row["problem"], more
    problem = {key: row[key] for key in KEYS if key in row}
    return problem, {key: row[key] for key in row if key not in KEYS and key != "response"}


def grade_rows(
    rows: Iterable[AnswerRow],
    grader: Grader,
    out: IO[str],
    tally: Tally,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Grade rows, and write their verdicts in their order. Memory does not grow with the file."""
    waiting: deque[AnswerRow] = deque()

    def pairs() -> Iterator[tuple[Problem, str]]:
        for row in rows:
            waiting.append(row)
            yield row.problem, row.response

    for graded in grader.grade_many(pairs()):
        row = waiting.popleft()
        out.write(json.dumps(graded.row() | row.more) + "\n")
        tally.count(row, graded.outcome, graded.verdict.detail)
        progress(row.number)


class Output(AbstractContextManager["Output"]):
    """Where verdicts go: beside `path` until all are there, then they take its place.

    What a stopped command leaves is kept under a name that tells the same rows and settings again,
    and the next one goes on after it. Raises UserError where `path` cannot be written, or is there
    and `overwrite` does not say that it may go.
    """

    def __init__(self, path: Path, source: Path, overwrite: bool) -> None:
        self.path = path
        self.partial: Path | None = None  # known once the rows are
        self._file: IO[str] | None = None
        self._whole_bytes = 0
        if path.is_dir():
            raise UserError(f"--out is {path}: a folder; give a file")
        if not path.parent.is_dir():
            raise UserError(f"--out is {path}: there is no folder {path.parent}; make it first")
        if path.exists() and source.exists() and path.samefile(source):
            raise UserError(f"--out is {path}: the file to grade; give another one")
        if path.exists() and not overwrite:
            raise UserError(f"--out is {path}: it is there; give another file, or --overwrite")

    def begin(self, digest: str) -> Path:
        """Where what is graded of these rows is kept until it is whole."""
        self.partial = self.path.with_name(f"{self.path.name}.{digest[:8]}.partial")
        return self.partial

    def done_before(self) -> Iterator[dict[str, Any]]:
        """The rows that an earlier command wrote; what it did not end is cut off."""
        assert self.partial is not None
        if not self.partial.exists():
            return
        with self.partial.open("rb") as file:
            for line in file:
                try:
                    row = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    row = None
                if row is None or "outcome" not in row:
                    break
                self._whole_bytes += len(line)
                yield row

    def open(self) -> IO[str]:
        """To write the rest; a line is there as soon as it is written."""
        assert self.partial is not None
        self._file = self.partial.open("a", encoding="utf-8", buffering=1)
        self._file.truncate(self._whole_bytes)
        return self._file

    def finish(self) -> None:
        """All rows are there: they take the place of `path`."""
        assert self.partial is not None
        self.__exit__()
        if self.path.suffix == ".gz":
            packed = self.partial.with_name(f"{self.partial.name}.gz")
            with self.partial.open("rb") as plain, gzip.open(packed, "wb") as file:
                shutil.copyfileobj(plain, file)
            packed.replace(self.path)
            self.partial.unlink()
        else:
            self.partial.replace(self.path)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def grade_file(
    source: AnswerFile,
    output: Output | None,
    verifier: VerifierConfig,
    rewards: RewardConfig,
    progress: Callable[[int, int], None] = lambda done, total: None,
    note: Callable[[str], None] = lambda line: None,
) -> Tally:
    """Grade every row of a file, in its order, into `output` or onto standard output.

    Every row is checked before the first is graded: a bad one, named by its line, costs no
    work. Raises UserError.
    """
    checked, tally = source.check(), Tally()
    if checked.repeats:
        note(checked.repeats)
    rows, out, done = source.rows(), sys.stdout, 0
    if output is not None:
        settings = verifier.model_dump_json(exclude={"workers"}) + rewards.model_dump_json()
        output.begin(hashlib.sha256((checked.digest + settings).encode()).hexdigest())
        for before, row in zip(output.done_before(), islice(rows, checked.total), strict=False):
            tally.count(row, Outcome(before["outcome"]), str(before.get("detail")))
            done = row.number
        if done:
            note(f"goes on after row {done:,} of {output.partial}")
        rows, out = islice(source.rows(), done, None), output.open()
    with Grader(verifier, rewards, checked.domains) as grader:
        grade_rows(rows, grader, out, tally, lambda number: progress(number, checked.total))
    if output is not None:
        output.finish()
    return tally
