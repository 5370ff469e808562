"""Problems from generators and from data sets, checked row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from srpo.data.messages import one_turn
from srpo.data.patterns import find_answer
from srpo.data.reading.names import stem
from srpo.data.rows import file_rows, value_at
from srpo.domains import SHIPPED, find_domain
from srpo.domains.math import answer_text
from srpo.nano.problems import nano_problems
from srpo.recipe.own import load_own
from srpo.recipe.schema import OWN, Source
from srpo.types import Problem, UserError, short
from srpo.verifiers.domain import Domain
from srpo.verifiers.json_values import text_fault

NANO_DEFAULT = 512


def load_problems(sources: list[Source], field: str, seed: int) -> list[Problem]:
    """All problems of `sources`, in order. Raises UserError for a bad row or duplicate id.

    Args:
        field: the recipe's field that lists the sources, for error messages.
        seed: of the generated problems.
    """
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for i, source in enumerate(sources):
        where = f"{field}[{i}]: {source.path}"
        domain = find_domain(source.domain, f"{field}[{i}].domain")
        found = list(_load(source, domain, where, seed))
        if not found:
            raise UserError(
                f"{where}: holds no problems of domain {domain.name}; give a file with at least one"
                " row of it"
            )
        for problem in found:
            if problem.id in seen:
                raise UserError(
                    f"{where}: duplicate id {problem.id!r}, first seen in {seen[problem.id]};"
                    " ids must be unique over all sources"
                )
            seen[problem.id] = where
        problems += found
    return problems


def fingerprint(problems: list[Problem]) -> str:
    """Changes when a problem, its place or its answer does: the ledger counts on their order."""
    digest = hashlib.sha256()
    for p in problems:
        digest.update(repr((p.id, p.domain, p.prompt, p.answer, p.tests)).encode())
    return digest.hexdigest()


def _load(source: Source, domain: Domain, where: str, seed: int) -> Iterator[Problem]:
    if source.path.startswith("nano:"):
        kind = source.path.removeprefix("nano:")
        if kind != source.domain:
            raise UserError(f"{where}: domain is {source.domain!r}; use nano:{source.domain}")
        limit = source.limit or NANO_DEFAULT
        yield from nano_problems(
            source.domain, source.split, limit, seed, source.families, source.levels
        )
        return
    numbered = enumerate(_rows(source, where, seed), 1)
    own = ((number, row) for number, row in numbered if not _is_others(row, domain))
    for number, row in islice(own, source.limit):
        yield _problem(source, domain, row, number, f"{where} row {number}")


def _is_others(row: Any, domain: Domain) -> bool:
    """Whether a column `domain`, as `srpo curate` writes it, leaves the row to another source of
    the same file."""
    named = row.get("domain") if isinstance(row, dict) else None
    return isinstance(named, str) and named in SHIPPED and named != domain.name


def _rows(source: Source, where: str, seed: int) -> Iterator[dict[str, Any]]:
    if _is_own(source.path):
        return _own_rows(source, where, seed)
    wanted = [source.id_field, source.prompt_field, source.answer_field, source.tests_field]
    wanted += [source.reference_field, "domain"]
    return file_rows(source.path, wanted, where)


def _is_own(path: str) -> bool:
    """Whether a path is a function's name, and not `folder:config` of a folder without code."""
    if not OWN.fullmatch(path) or Path(path).exists():
        return False
    folder = Path(path.partition(":")[0])
    return not folder.is_dir() or any(folder.glob("*.py"))


def _own_rows(source: Source, where: str, seed: int) -> Iterator[dict[str, Any]]:
    """What a function of the user's own makes: `(split, seed) -> rows`."""
    make = load_own(source.path, where)
    try:
        yield from make(source.split, seed)
    except Exception as error:  # whatever code of the user's own may raise
        raise UserError(f"{where}: failed: {type(error).__name__}: {error}") from error


def _problem(
    source: Source, domain: Domain, row: dict[str, Any], number: int, where: str
) -> Problem:
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    prompt, system = _question(source, row, where)
    id_ = _id(source, row, number, where)
    for name, text in ((source.id_field, id_), (source.prompt_field, prompt)):
        if why := text_fault(text):
            raise UserError(f"{where}: {name!r} {why}")
    reference = value_at(row, source.reference_field) if domain.gold == "tests" else None
    meta = {"reference": reference} if isinstance(reference, str) and reference.strip() else {}
    meta |= {} if system is None else {"system": system}
    gold = {domain.gold: _gold(source, domain, row, where)}
    return Problem(id_, domain.name, prompt, **gold, meta=meta)


def _question(source: Source, row: dict[str, Any], where: str) -> tuple[str, str | None]:
    """The question, and the system message where the row has one. It may be given as messages,
    as TRL and verl have it: those of one turn."""
    value, field = value_at(row, source.prompt_field), f"prompt_field {source.prompt_field!r}"
    turn = one_turn(value)
    if turn is None:
        raise UserError(
            f"{where}: {field} must be a text, or messages of one turn (user, or system and user),"
            f" got {short(value)}; the row has {_columns(row)}"
        )
    question, system = turn
    if not isinstance(question, str) or not question.strip():
        raise UserError(
            f"{where}: {field} must be a text, got {short(value)}; the row has {_columns(row)}"
        )
    return question, system


def _id(source: Source, row: dict[str, Any], number: int, where: str) -> str:
    """Rows without ids get their file's name and number; files of one name in two folders clash."""
    identity = value_at(row, source.id_field)
    if identity is None:
        return f"{stem(Path(source.path))}-{number}"
    if isinstance(identity, list | tuple | dict):
        raise UserError(
            f"{where}: id_field {source.id_field!r} must be a text or a number, got"
            f" {short(identity)}; the row has {_columns(row)}"
        )
    return str(identity)


def _columns(row: dict[str, Any]) -> str:
    return short(sorted(row), 300)


def _gold(source: Source, domain: Domain, row: dict[str, Any], where: str) -> Any:
    """What answers are checked against, from the domain's column."""
    field = f"{domain.gold}_field"
    column = getattr(source, field)
    value = value_at(row, column)
    if value is None:
        raise UserError(
            f"{where}: {field} {column!r} names no value of the row, which has {_columns(row)}"
        )
    where = f"{where}: {field} {column!r}"
    if source.answer_pattern is None or domain.gold == "tests":
        return domain.parse(value, where)
    texts = [t if (t := answer_text(v)) is not None else v for v in _several(value)]
    return domain.parse([_match(source, t, where) for t in texts], where)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) and value else [value]


def _match(source: Source, text: Any, where: str) -> Any:
    """The answer within a text; what is no text stays, for the domain to refuse."""
    if not isinstance(text, str):
        return text
    return find_answer(source.answer_pattern or "", text, where)
