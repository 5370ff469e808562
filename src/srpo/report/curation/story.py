"""One row's story: `srpo curate --explain ID`."""

from __future__ import annotations

import json
from pathlib import Path

from srpo.data.curate.judged import Judged
from srpo.data.curate.pipeline import DROPPED, TRAIN
from srpo.data.curate.work import find_judged
from srpo.report.plain import one_line, printable
from srpo.types import UserError

LONG = 2000  # characters of a question that are shown


def story(out: Path, id_: str) -> str:
    """What became of a row, and why, for a terminal. Raises UserError for an unknown one."""
    for name in (TRAIN, DROPPED):
        if not (out / name).is_file():
            raise UserError(f"--out {str(out)!r} has no {name}: give the folder of a curation")
        if found := find_judged(out / name, id_):
            return _told(found)
    raise UserError(
        f"--explain {id_!r}: no such row in {str(out)!r}; ids are SOURCE:ROW, counted from 0, as in"
        f" {TRAIN}'s column id"
    )


def _told(judged: Judged) -> str:
    c = judged.candidate
    lines = [f"{c.id} ({c.domain}): {_fate(judged)}"]
    if judged.evidence and not judged.stays:
        lines.append(f"  evidence: {one_line(judged.evidence, 600)}")
    lines += [f"  cleaned: {one_line(change, 200)}" for change in c.changes]
    lines += [f"  noted: {one_line(note, 300)}" for note in judged.notes]
    if judged.language:
        lines.append(f"  language: {judged.language}")
    if c.pass_rate is not None:
        told = f" ({judged.correct} of {judged.samples} samples)" if judged.samples else ""
        lines.append(f"  pass rate: {c.pass_rate:.3g}{told} {judged.difficulty}".rstrip())
    if c.answer:
        lines.append(f"  answer: {one_line(' | '.join(c.answer), 300)}")
    if c.tests is not None:
        lines.append(f"  tests: {one_line(json.dumps(c.tests), 300)}")
    if c.meta:
        lines.append(f"  meta: {one_line(json.dumps(c.meta, default=str), 600)}")
    return "\n".join([*lines, "", printable(c.prompt[:LONG])])


def _fate(judged: Judged) -> str:
    return "kept" if judged.stays else f"dropped by {judged.reason} (stage {judged.stage})"
