"""Is a benchmark's text the one that others were asked? Fingerprints of a copy that was read, and
what of another copy differs from it.

The copy itself is not in the package. Of each problem `benchmarks/pins/NAME.json` has the SHA-256
of its text and of its answer, and one byte for each word, by which a difference can be shown. Tests
of programs are spelled in many ways, so they are in no pin, but in the digest of what was used.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib import resources
from typing import Any

from srpo.types import Problem

AROUND = 4  # words that are shown beside a difference
ALIKE = 0.6  # what two texts of one problem have in common, at least
DIGITS = 16  # of a problem's SHA-256
SEARCHED = 100  # strange problems at most, for which the likest pinned one is looked for


@dataclass(frozen=True)
class Pin:
    """What is known of one problem's text."""

    id: str
    text: str
    answer: str
    words: bytes


@dataclass(frozen=True)
class Difference:
    """A problem that is not as it was pinned. `kind` is text, answer, missing or added."""

    id: str
    kind: str
    shown: str

    def line(self) -> str:
        return f"{self.id}: {self.kind}: {self.shown}" if self.shown else f"{self.id}: {self.kind}"


def digest(problems: Sequence[Problem]) -> str:
    """SHA-256 of all texts and golds, in order. Runs of white space are one blank."""
    whole = hashlib.sha256()
    for p in problems:
        whole.update(f"{_sha(_plain(p.prompt))} {_sha(_gold(p))}\n".encode())
    return whole.hexdigest()


def pin(problem: Problem) -> Pin:
    """A problem's fingerprints."""
    text = _plain(problem.prompt)
    short_id = problem.id.partition("/")[2] or problem.id
    return Pin(short_id, _sha(text)[:DIGITS], _sha(_answer(problem))[:DIGITS], _words(text))


def dump(source: str, problems: Sequence[Problem]) -> str:
    """The file of a benchmark's pins; `source` says where the copy was."""
    rows = [
        [p.id, p.text, p.answer, b64encode(p.words).decode()]
        for p in (pin(one) for one in problems)
    ]
    body = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    head = json.dumps({"source": source, "sha256": digest(problems)})
    return f'{head[:-1]},\n "problems": [\n{body}\n ]}}\n'


def pinned(name: str) -> dict[str, Any]:
    """The pins of a benchmark, `problems` as Pin."""
    file = resources.files("srpo.evaluation.benchmarks") / "pins" / f"{name}.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    found["problems"] = [Pin(i, t, g, b64decode(w)) for i, t, g, w in found["problems"]]
    return found


def differences(pins: Sequence[Pin], problems: Sequence[Problem]) -> list[Difference]:
    """What differs, in the order of the problems; their order itself does not matter."""
    given = [pin(p) for p in problems]
    left = {(p.text, p.answer): p for p in pins}
    strange = [
        (g, p) for g, p in zip(given, problems, strict=True) if (g.text, g.answer) not in left
    ]
    for g in given:
        left.pop((g.text, g.answer), None)
    found = []
    by_id = {p.id: p for p in left.values()}
    for g, problem in strange:
        own = by_id.get(g.id)
        nearest = None if own is None else _nearest(g, [own])
        if nearest is None and len(strange) <= SEARCHED:
            nearest = _nearest(g, list(left.values()))
        if nearest is None:
            found.append(Difference(g.id, "added", _plain(problem.prompt)[:80]))
            continue
        left.pop((nearest.text, nearest.answer), None)
        if nearest.text != g.text:
            found.append(Difference(g.id, "text", shown(nearest.words, _plain(problem.prompt))))
        if nearest.answer != g.answer:
            other = f"another one than pinned: {_answer(problem)[:80]}"
            found.append(Difference(g.id, "answer", other))
    return found + [Difference(p.id, "missing", "") for p in left.values()]


def shown(words: bytes, text: str) -> str:
    """A text with what of it was not pinned as {+...+}, and how many pinned words it lacks as
    [-2 words-]; far from these, words are left out."""
    given = text.split()
    parts: list[str] = []
    opcodes = SequenceMatcher(None, words, _words(text), autojunk=False).get_opcodes()
    for i, (kind, a, b, c, d) in enumerate(opcodes):
        own = given[c:d]
        if kind == "equal":
            head = [] if i == 0 else own[:AROUND]
            tail = [] if i == len(opcodes) - 1 else own[max(len(head), len(own) - AROUND) :]
            gap = ["..."] if len(head) + len(tail) < len(own) else []
            parts += [*head, *gap, *tail]
            continue
        if b > a:
            parts.append(f"[-{b - a} word{'s' if b - a > 1 else ''}-]")
        if own:
            parts.append(f"{{+{' '.join(own)}+}}")
    return " ".join(parts)


def _nearest(of: Pin, among: Sequence[Pin]) -> Pin | None:
    """The pin that is most like it; that of the same text, where there is one."""
    best, most = None, ALIKE
    for p in among:
        if p.text == of.text:
            return p
        matcher = SequenceMatcher(None, p.words, of.words, autojunk=False)
        if matcher.quick_ratio() > most and (ratio := matcher.ratio()) > most:
            best, most = p, ratio
    return best


def _plain(text: str) -> str:
    return " ".join(text.split())


def _gold(problem: Problem) -> str:
    if problem.tests is not None:
        return json.dumps(problem.tests, sort_keys=True, ensure_ascii=False)
    return _answer(problem)


def _answer(problem: Problem) -> str:
    golds = problem.answer if isinstance(problem.answer, tuple) else (problem.answer or "",)
    return "\n".join(_plain(g) for g in golds)


def _words(text: str) -> bytes:
    return bytes(hashlib.sha256(word.encode()).digest()[0] for word in text.split())


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
