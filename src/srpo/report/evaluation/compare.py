"""`srpo eval --compare A B`: two evaluations, question by question."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from srpo.evaluation.paired import Difference, difference
from srpo.report.evaluation.files import part_files, read_result
from srpo.types import Outcome, UserError

SETTINGS = ("samples", "temperature", "top_p", "max_new_tokens", "templates")


def compare_lines(a: Path, b: Path) -> list[str]:
    """What is the same in both and what that says. Raises UserError where nothing is."""
    results = read_result(a), read_result(b)
    first, second = ({one["name"]: one for one in r["sets"]} for r in results)
    both = [name for name in first if name in second]
    if not both:
        raise UserError(
            f"--compare: {str(a)!r} has {', '.join(first)}, {str(b)!r} has {', '.join(second)}: no"
            " set is in both"
        )
    lines = [f"A: {results[0]['model']} ({a})", f"B: {results[1]['model']} ({b})"]
    lines += _settings(*results)
    for name in both:
        if first[name]["data"]["sha256"] != second[name]["data"]["sha256"]:
            raise UserError(
                f"--compare: {name} is not the same in {str(a)!r} and {str(b)!r}: the SHA-256 of"
                " its texts differ; evaluate both on one copy"
            )
        rates = _rates(a, name), _rates(b, name)
        lines += ["", *_lines(name, rates)]
    return lines


def _settings(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Settings that differ: then the models are not all that does."""
    return [
        f"{name} differs: {x} and {y}"
        for name in SETTINGS
        if (x := _setting(a, name)) != (y := _setting(b, name))
    ]


def _setting(result: dict[str, Any], name: str) -> Any:
    config = result["config"]
    return config.get(name, config["rollout"].get(name))


def _rates(out: Path, name: str) -> dict[str, float]:
    """The pass rate of each question, by our grader."""
    rates: dict[str, float] = {}
    for file in part_files(out, name):
        rows = pq.read_table(file, columns=["id", "outcome"]).to_pylist()
        for id_, group in groupby(rows, lambda row: row["id"]):
            outcomes = [row["outcome"] == Outcome.CORRECT for row in group]
            rates[id_] = sum(outcomes) / len(outcomes)
    return rates


def _lines(name: str, rates: tuple[dict[str, float], dict[str, float]]) -> list[str]:
    first, second = rates
    if len(first) < 2:
        return [f"{name}: one question is no comparison"]
    found = difference(list(first.values()), [second[id_] for id_ in first])
    return [
        f"{name}: A {100 * found.first:.1f}, B {100 * found.second:.1f}",
        f"  B - A: {_signed(found.mean)} (95%: {_signed(found.low)} to {_signed(found.high)}),"
        f" standard error {100 * found.error:.1f}",
        f"  {found.questions} questions: {found.better} better, {found.worse} worse,"
        f" {found.questions - found.better - found.worse} the same",
        f"  unpaired it would be +-{100 * found.unpaired:.1f}; {_verdict(found)}",
    ]


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _verdict(found: Difference) -> str:
    if found.is_beyond_noise:
        return "beyond the noise of which questions are asked"
    return "within the noise of which questions are asked"
