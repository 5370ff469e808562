"""What can be said of a row by itself: read, cleaned, filtered, its gold answer checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from srpo.data.adapters import read_row
from srpo.data.candidate import Candidate
from srpo.data.curate.clean import clean
from srpo.data.curate.gold import NotChecked, check_gold
from srpo.data.curate.judged import NOT_VERIFIED, Judged
from srpo.data.curate.language import language_of
from srpo.data.curate.raw import Numbered, Raw
from srpo.data.curate.rules import stages
from srpo.data.curate.work import write_judged
from srpo.errors import RowFault
from srpo.recipe.curation import Curation
from srpo.types import short
from srpo.verifiers.math.verifier import MathVerifier

LONGEST = 100_000  # characters of a question or a solution


@dataclass(frozen=True)
class Chunk:
    """Rows of one set, and the file for what becomes of them."""

    raw: Raw
    rows: list[Numbered]
    path: Path


class RowJudge:
    """Judges rows one by one. It has a process that compares answers: `close` it."""

    def __init__(self, config: Curation) -> None:
        self._config = config
        self._verifier = MathVerifier(time_limit_s=config.verifier.time_limit_s)

    def chunk(self, chunk: Chunk) -> None:
        """Judge its rows and write its file."""
        write_judged(chunk.path, (self(chunk.raw, *numbered) for numbered in chunk.rows))

    def __call__(self, raw: Raw, number: int, row: dict | RowFault) -> Judged:
        candidate = read(raw, number, row)
        if isinstance(candidate, Judged):
            return candidate
        if (length := max(len(candidate.prompt), len(candidate.solution or ""))) > LONGEST:
            judged = Judged(replace(candidate, prompt=candidate.prompt[:LONGEST], solution=None))
            return judged.dropped("complete", "too_long", f"{length:,} characters")
        candidate = clean(candidate)
        judged = Judged(candidate, language=language_of(candidate.prompt))
        for stage, rules in stages(self._config, candidate.domain):
            for rule in rules:
                found = rule(candidate)
                if found is not None:
                    judged = judged.dropped(stage, rule.__name__, found, self._config.allow)
                    if not judged.stays:
                        return judged
        return self._checked(judged) if self._config.verify else judged

    def _checked(self, judged: Judged) -> Judged:
        if judged.candidate.domain != "math":
            return judged
        try:
            found = check_gold(self._verifier, judged.candidate)
        except NotChecked as error:
            return judged.noted(f"{NOT_VERIFIED}: {error}")
        return judged.dropped("verify", *found, self._config.allow) if found else judged

    def close(self) -> None:
        """End the verifier's process."""
        self._verifier.close()


def read(raw: Raw, number: int, row: dict | RowFault) -> Candidate | Judged:
    """The row as a candidate; as dropped where it cannot be one."""
    shown = None
    if not isinstance(row, RowFault):
        try:
            if raw.layout is None:
                raise RowFault("no layout")
            return read_row(raw.layout, row, raw.name, number)
        except RowFault as fault:
            shown, row = short(row, 2000), fault
    meta = {} if shown is None else {"row": shown}
    candidate = Candidate(raw.name, number, raw.source.domain or "unknown", "", meta=meta)
    return Judged(candidate).dropped("read", "unreadable", str(row))
