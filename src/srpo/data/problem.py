"""One problem from one row of JSON: the schema that `srpo grade` and every adapter share.

    {"prompt": "...", "answer": "42" | ["42", "42.0"]}
    {"id": "c1", "domain": "code", "prompt": "...", "tests": {"type": ..., ...}}

`domain` follows from `tests` (code) or `answer` (math) where it is left out. What `tests` may say
stands in `srpo.verifiers.code.tests`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from srpo.domains import SHIPPED, find_domains
from srpo.types import Problem, UserError, short
from srpo.verifiers.domain import Domain
from srpo.verifiers.json_values import json_fault

KEYS = ("id", "domain", "prompt", "answer", "tests", "meta")


def parse_problem(
    row: Any,
    where: str,
    domains: Mapping[str, Domain] | None = None,
    default_id: str | None = None,
) -> Problem:
    """The problem in `row`. Raises UserError that names the field, its value and the fix.

    Args:
        row: an object with the keys above; `tests` may also be given as its JSON text.
        where: of the row, for error messages.
        domains: by name, that rows may be of; None means those that the package has. A row cannot
            bring one: it is data, and a domain is code.
        default_id: of a row that has no id; None refuses it.
    """
    if isinstance(row, Problem):
        return row
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    if unknown := sorted(short(key) for key in row if key not in KEYS):
        raise UserError(f"{where}: unknown key {unknown[0]}; known are {', '.join(KEYS)}")
    known = find_domains(SHIPPED) if domains is None else domains
    domain = _domain(row, where, known)
    id_, prompt, meta = row.get("id"), row.get("prompt"), row.get("meta")
    id_ = default_id if id_ is None else id_
    for name in ("id", "prompt", "answer"):
        if fault := json_fault(row.get(name), f"{where}.{name}"):
            raise UserError(fault)
    if isinstance(id_, bool) or not isinstance(id_, str | int) or not str(id_).strip():
        raise UserError(f"{where}.id is {short(id_)}: give a text or a whole number")
    if not isinstance(prompt, str):
        raise UserError(f"{where}.prompt is {short(prompt)}: give the question as a text")
    if meta is not None and not isinstance(meta, dict):
        raise UserError(f"{where}.meta is {short(meta)}: give an object, or leave it out")
    gold = {domain.gold: domain.parse(row.get(domain.gold), f"{where}.{domain.gold}")}
    return Problem(str(id_), domain.name, prompt, **gold, meta=dict(meta or {}))


def _domain(row: dict[str, Any], where: str, known: Mapping[str, Domain]) -> Domain:
    """The domain that the row names, or the only one that reads the gold that it has."""
    name = row.get("domain")
    if name is None:
        gold = next((key for key in ("tests", "answer") if row.get(key) is not None), None)
        fitting = [domain for domain in known.values() if domain.gold == gold]
        if len(fitting) == 1:
            return fitting[0]
        if gold is None:
            golds = ", ".join(f"{domain.gold} ({domain.name})" for domain in known.values())
            raise UserError(f"{where}: has nothing to grade by; give {golds}")
    domain = known.get(name) if isinstance(name, str) else None
    if domain is None:
        raise UserError(f"{where}.domain is {short(name)}: choose one of {', '.join(known)}")
    return domain
