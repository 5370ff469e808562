"""A row of a raw data set on its way to becoming a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from srpo.types import Problem


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an adapter has read from one row; the stages of curation make new ones of it.

    `source` and `row`, which counts from 0, say where it stood; together they are its id.
    """

    source: str
    row: int
    domain: Literal["math", "code", "unknown"]  # unknown: of a row that could not be read
    prompt: str
    answer: tuple[str, ...] = ()  # math: the gold answer, or several that are all accepted
    tests: dict[str, Any] | None = None  # code: see `srpo.verifiers.code.tests`
    solution: str | None = None  # a worked solution of a mathematical problem
    reference: str | None = None  # a program that should pass the tests
    system: str | None = None  # the system message
    pass_rate: float | None = None  # 0 to 1, where the row carries one
    meta: dict[str, Any] = field(default_factory=dict)  # topic, level, url, date, original_id
    changes: tuple[str, ...] = ()  # what cleaning did to it, in words

    @property
    def id(self) -> str:
        """For example `dapo_math_17k:10611`."""
        return f"{self.source}:{self.row}"

    def problem(self) -> Problem:
        """As verifiers take it."""
        meta = dict(self.meta)
        meta |= {"system": self.system} if self.system is not None else {}
        meta |= {"reference": self.reference} if self.reference is not None else {}
        golds = (self.answer[0] if len(self.answer) == 1 else self.answer) or None
        return Problem(self.id, self.domain, self.prompt, golds, self.tests, meta)
