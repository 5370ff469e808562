"""What an evaluation's page shows to read: problems of every pass rate, those that graders
disagree on up to a bound, and a few responses to each, in a size that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import escape

from srpo.evaluation.store import GRADERS, Row
from srpo.report.evaluation.files import problems_of, questions
from srpo.report.evaluation.survey import Choice, Survey, is_disputed, survey
from srpo.report.plain import one_line, printable
from srpo.types import FinishReason, Outcome, UserError

RESPONSES = 5  # of a problem
DISPUTES = 30  # lines of the list of a set
LONGEST = 2500  # characters of a text
ROOM = 1_500_000  # bytes of all that is shown to read, as it stands on the page
FRAME = 400  # bytes around a problem, a response or a dispute


@dataclass(frozen=True)
class Shown:
    """A response on the page; `beside` are (grader, outcome, why) of the others that judged it."""

    number: int
    outcome: str
    tokens: int
    cut: bool
    answer: str
    detail: str
    text: str
    beside: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Dispute:
    """A response that graders disagree on, in a line; `others` are (grader, outcome, why)."""

    id: str
    number: int
    outcome: str
    answer: str
    detail: str
    others: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Asked:
    """A problem on the page; `correct` of `asked` responses are; `at` is its place in the set."""

    at: int
    id: str
    prompt: str
    gold: str
    correct: int
    asked: int
    responses: list[Shown]
    disputes: list[Dispute]


@dataclass
class SetSample:
    """Of one set: its counts, the problems that are shown, and a list of disputes."""

    title: str
    survey: Survey
    shown: list[Asked] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)


def sample(out: Path, sets: list[dict[str, Any]]) -> list[SetSample]:
    """Reads the responses part by part, twice. Raises UserError."""
    surveys = [_survey(out, one) for one in sets]
    names = [one["name"] for one in sets]
    asked = questions(
        out, {(n, c.id) for n, s in zip(names, surveys, strict=True) for c in s.choices}
    )
    found, room = [], ROOM
    for left, one, counted in zip(range(len(sets), 0, -1), sets, surveys, strict=True):
        made = _of_set(one, counted, asked, room // left)
        room -= sum(map(_size, (*made.shown, *made.disputes)))
        found.append(made)
    return found


def _survey(out: Path, one: dict[str, Any]) -> Survey:
    found, problems = survey(out, one["name"]), one["numbers"]["problems"]
    if found.problems != problems:
        raise UserError(
            f"{str(out / 'responses')!r} has {found.problems} of the {problems} problems of"
            f" {one['name']}; srpo eval with the same arguments makes the rest"
        )
    return found


def _of_set(
    one: dict[str, Any], counted: Survey, asked: dict[tuple[str, str], Row], room: int
) -> SetSample:
    """The choices in their order, as far as there is room; shown in the order of the set."""
    made = dict(_read(one["name"], counted.choices, asked))
    found = SetSample(one["title"], counted)
    quarrels = [d for c in sorted(counted.choices) for d in made[c].disputes][:DISPUTES]
    for dispute in quarrels:
        if (size := _size(dispute)) <= room:
            found.disputes.append(dispute)
            room -= size
    for choice in counted.choices:
        if (size := _size(made[choice])) <= room:
            found.shown.append(made[choice])
            room -= size
    found.shown.sort(key=lambda problem: problem.at)
    return found


def _read(
    name: str, choices: list[Choice], asked: dict[tuple[str, str], Row]
) -> Iterator[tuple[Choice, Asked]]:
    for file, together in groupby(sorted(choices), lambda c: c.file):
        wanted = {c.id: c for c in together}
        for rows in problems_of(file):
            if choice := wanted.get(rows[0]["id"]):
                yield choice, _asked(rows, choice, asked.get((name, choice.id)))


def _asked(rows: list[Row], choice: Choice, question: Row | None) -> Asked:
    if question is None:
        raise UserError(
            f"problems.parquet: has no question {choice.id!r} that {choice.file} answers; srpo eval"
            " with the same arguments writes it anew"
        )
    return Asked(
        choice.at,
        _line(choice.id, 100),
        _cut(question["prompt"] or ""),
        _line(question["gold"] or "", 200),
        sum(row["outcome"] == Outcome.CORRECT for row in rows),
        len(rows),
        [_shown(row) for row in _some(rows)],
        [_dispute(row) for row in rows if is_disputed(row)][:DISPUTES],
    )


def _some(rows: list[Row]) -> list[Row]:
    """The first of each kind, disputed ones before others."""
    kinds = (
        is_disputed,
        lambda r: r["outcome"] == Outcome.CORRECT,
        lambda r: r["outcome"] == Outcome.INCORRECT,
        lambda r: r["finish_reason"] == FinishReason.LENGTH,
        lambda r: r["answer"] is None,
    )
    found = [row for kind in kinds if (row := next(filter(kind, rows), None)) is not None]
    unique = {row["sample"]: row for row in (*found, *rows)}
    return sorted(list(unique.values())[:RESPONSES], key=lambda row: row["sample"])


def _shown(row: Row) -> Shown:
    return Shown(
        row["sample"] + 1,
        row["outcome"],
        row["tokens"],
        row["finish_reason"] == FinishReason.LENGTH,
        "" if row["answer"] is None else _line(row["answer"], 200),
        _line(row["detail"] or "", 300),
        _cut(row["response"]),
        _beside(row),
    )


def _dispute(row: Row) -> Dispute:
    return Dispute(
        _line(row["id"], 100),
        row["sample"] + 1,
        row["outcome"],
        "" if row["answer"] is None else _line(row["answer"], 160),
        _line(row["detail"] or "", 160),
        _beside(row),
    )


def _beside(row: Row) -> list[tuple[str, str, str]]:
    return [
        (g, row[f"{g}: outcome"], _line(row[f"{g}: detail"] or "", 200))
        for g in GRADERS
        if row[f"{g}: outcome"] is not None
    ]


def _line(text: str, width: int) -> str:
    """As `one_line`, without a look at all of a whole program."""
    most = 4 * width
    return one_line(text if len(text) <= most else f"{text[:most]}…", width)


def _cut(text: str) -> str:
    """Without its middle, where it is long."""
    half = LONGEST // 2
    if len(text) <= LONGEST:
        return text
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def _size(shown: Asked | Dispute) -> int:
    """Bytes on the page, about: `<` is four of them there, what acts unseen up to ten."""
    pieces = 1 + len(getattr(shown, "responses", ()))
    return FRAME * pieces + _bytes({k: v for k, v in asdict(shown).items() if k != "disputes"})


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(str(escape(printable(value))).encode())
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    return sum(map(_bytes, value)) if isinstance(value, list | tuple) else 0
