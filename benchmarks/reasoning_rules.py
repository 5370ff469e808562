"""The rules of `srpo analyze` against labels that were made by reading.

    SRPO_DATA=folder python benchmarks/reasoning_rules.py programs LABELS
    SRPO_DATA=folder python benchmarks/reasoning_rules.py sentences LABELS
    SRPO_DATA=folder python benchmarks/reasoning_rules.py answers

`programs` reads labels of whole responses: which have a program that verifies an answer, and does
what it shows agree. Texts that the labels name by `set` and `id` are in the folder SRPO_DATA;
without it those rows are left out. A fixed hash cuts the labels into two halves: the rules were
mended on the first, and have never been fitted to the second. `sentences` reads labels of
sentences (`set`, `id`, `start`, `end`); `answers` says how many answers of each model ours and the
published rules call reflective.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from srpo.reasoning.behaviours import BEHAVIOURS, find_marks, is_reflective
from srpo.reasoning.program import find_check
from srpo.reasoning.published import PUBLISHED

app = typer.Typer(add_completion=False)
Labels = Annotated[Path, typer.Argument(help="A .jsonl of labels.", exists=True)]
Row = dict[str, Any]
SETS = (
    *("deepseek-r1-distill-qwen-1.5b", "deepseek-r1-distill-qwen-32b"),
    *("qwen2.5-1.5b-instruct", "qwen2.5-32b-instruct", "qwen2.5_math_cot"),
)


@app.callback()
def rules() -> None:
    """Rules against labels."""


@app.command()
def programs(labels: Labels) -> None:
    """Programs that verify an answer: precision, recall, what is missed, and what agrees."""
    rows = read_labels(labels)
    for name, part in (("all", rows), *((f"half {half}", of_half(rows, half)) for half in (1, 2))):
        print(f"\n== {name}: {len(part)} responses, {sum(r['verifies'] for r in part)} verify")
        _programs(part)


@app.command()
def sentences(labels: Labels) -> None:
    """Recheck, hesitation, exploration: precision and recall, by part and by model."""
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["sentence"] = text_of(row["set"], row["id"])[row["start"] : row["end"]]
    parts = {"all": rows}
    for key in ("part", "set"):
        for value in sorted({row[key] for row in rows if key in row}):
            parts[value] = [row for row in rows if row.get(key) == value]
    for name, part in parts.items():
        print(f"\n== {name}: {len(part)} sentences")
        for behaviour, rules in BEHAVIOURS.items():
            found = [rules.which(row["sentence"].replace("\u2019", "'")) for row in part]
            _line(behaviour, [behaviour in row["labels"] for row in part], found)


def _line(name: str, labels: list[bool], found: list[str | None]) -> None:
    table = Counter((label, f is not None) for label, f in zip(labels, found, strict=True))
    hits, wrong, missed = table[True, True], table[False, True], table[True, False]
    p, r = share(hits, hits + wrong), share(hits, hits + missed)
    print(f"  {name:12} precision {p}, recall {r}")


@app.command()
def answers() -> None:
    """How many answers of each model are called reflective, by ours and by published rules."""
    for name in SETS:
        traces = _traces(name)
        texts = [str(t) for row in traces for t in (row.get("code") or [row.get("response")])]
        ours = [find_marks(text) for text in texts]
        counts = {"ours": sum(map(is_reflective, ours)), "any of the three": sum(map(bool, ours))}
        for rules in PUBLISHED:
            counts[rules] = sum(bool(find_marks(text, rules)) for text in texts)
        counts["However"] = sum("However" in text for text in texts)
        shares = ", ".join(f"{rule} {count / len(texts):.1%}" for rule, count in counts.items())
        print(f"{name}, {len(texts)} answers: {shares}")


def _programs(rows: list[Row]) -> None:
    checks = [(row, find_check(row["text"])) for row in rows]
    table = Counter((row["verifies"], check is not None) for row, check in checks)
    hits, wrong, missed = table[True, True], table[False, True], table[True, False]
    print(f"precision {share(hits, hits + wrong)}, recall {share(hits, hits + missed)}")
    print("  found, but no check:", named(r for r, c in checks if c and not r["verifies"]))
    print("  not found:", named(r for r, c in checks if not c and r["verifies"]))
    both = [(row, check.agrees) for row, check in checks if check and row["verifies"]]
    right = sum(row["agrees"] is agrees for row, agrees in both)
    print(f"agrees as labelled: {share(right, len(both))}")
    for (label, rule), count in sorted(Counter((r["agrees"], a) for r, a in both).items(), key=str):
        where = named(r for r, a in both if (r["agrees"], a) == (label, rule))
        print(f"  label {label!s:>5}, rule {rule!s:>5}: {count:>3}", "" if label is rule else where)


def read_labels(path: Path) -> list[Row]:
    """The rows, each with its text and its `name`; those whose text is not here are left out."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows, 1):
        row["name"] = str(number)
        if "text" not in row and "SRPO_DATA" in os.environ:
            row["text"] = text_of(row["set"], row["id"])
    here = [row for row in rows if "text" in row]
    if len(here) < len(rows):
        print(f"{len(rows) - len(here)} rows left out: set SRPO_DATA", file=sys.stderr)
    return here


def text_of(name: str, place: Any) -> str:
    """A response of the traces: `id` is its number, or (problem, answer) in Qwen2.5-Math's."""
    if name == "qwen2.5_math_cot":
        return next(row["code"][place[1]] for row in _traces(name) if row["idx"] == place[0])
    return _traces(name)[place]["response"]


@cache
def _traces(name: str) -> list[Row]:
    folder = Path(os.environ["SRPO_DATA"])
    if name == "qwen2.5_math_cot":
        lines = (folder / f"traces_{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    return json.loads((folder / f"traces_reasoning_{name}.json").read_text(encoding="utf-8"))


def of_half(rows: list[Row], half: int) -> list[Row]:
    """One of two halves, by a hash of the text."""
    return [row for row in rows if zlib.crc32(row["text"].encode()) % 2 == half - 1]


def share(count: int, of: int) -> str:
    return f"{count / of:.3f} ({count} of {of})" if of else "none"


def named(rows: Any) -> str:
    """The lines of rows in the file of labels."""
    return ", ".join(row["name"] for row in rows) or "none"


if __name__ == "__main__":
    app()
