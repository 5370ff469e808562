"""`srpo eval --compare A B`: two evaluations, question by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from srpo.evaluation.paired import Difference, difference
from srpo.report.evaluation.files import part_files, problems_of, read_result
from srpo.report.plain import one_line
from srpo.types import Outcome, UserError

# What a score depends on, beside the model; of rollout only what shapes the responses.
SETTINGS = ("samples", "templates", "data", "beside", "verifier", "dtype")
SAMPLING = (
    "temperature", "top_p", "top_k", "max_new_tokens", "stop_token_ids", "stop", "engine",
)  # fmt: skip
WIDTH = 79

Rates = dict[str, float]


def compare_lines(a: Path, b: Path) -> list[str]:
    """What is the same in both and what that says, in lines that any terminal has room for.
    Raises UserError where nothing is."""
    results = read_result(a), read_result(b)
    first, second = ({one["name"]: one for one in r["sets"]} for r in results)
    both = [name for name in first if name in second]
    if not both:
        raise UserError(
            f"--compare: {str(a)!r} has {', '.join(first)}, {str(b)!r} has {', '.join(second)}: no"
            " set is in both"
        )
    for name in both:
        if first[name]["data"]["sha256"] != second[name]["data"]["sha256"]:
            raise UserError(
                f"--compare: {name} is not the same in {str(a)!r} and {str(b)!r}: the SHA-256 of"
                " its texts differ; evaluate both on one copy"
            )
    lines = [f"{x}: {r['model']} ({out})" for x, r, out in zip("AB", results, (a, b), strict=True)]
    lines += _settings(results[0]["config"], results[1]["config"])
    for name in both:
        lines += ["", *_lines(name, _rates(a, first[name]), _rates(b, second[name]))]
    return [line for text in lines for line in _narrow(text)]


def _narrow(text: str) -> list[str]:
    """One line or, where it is long, several."""
    indent = text[: len(text) - len(text.lstrip())]
    line = indent + one_line(text, 1000)
    return wrap(line, WIDTH, subsequent_indent=indent + "  ", break_on_hyphens=False) or [""]


def _settings(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Settings that differ: then the models are not all that does."""
    first, second = dict(_flat(_shaping(a))), dict(_flat(_shaping(b)))
    return [
        f"{name} differs: {_value(first.get(name))} and {_value(second.get(name))}"
        for name in dict.fromkeys((*first, *second))
        if first.get(name) != second.get(name)
    ]


def _shaping(config: dict[str, Any]) -> dict[str, Any]:
    found = {name: config.get(name) for name in SETTINGS}
    return found | {name: config["rollout"].get(name) for name in SAMPLING}


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _value(value: Any) -> str:
    return "none" if value in (None, [], "") else one_line(str(value), 60)


def _rates(out: Path, one: dict[str, Any]) -> Rates:
    """The pass rate of each question, by our grader. Raises UserError where some are missing."""
    rates: Rates = {}
    for file in part_files(out, one["name"]):
        for rows in problems_of(file, ["id", "outcome"]):
            right = sum(row["outcome"] == Outcome.CORRECT for row in rows)
            rates[rows[0]["id"]] = right / len(rows)
    if len(rates) != one["numbers"]["problems"]:
        raise UserError(
            f"{str(out / 'responses')!r} has {len(rates)} of the {one['numbers']['problems']}"
            f" problems of {one['name']}; srpo eval with the same arguments makes the rest"
        )
    return rates


def _lines(name: str, first: Rates, second: Rates) -> list[str]:
    if first.keys() != second.keys():
        raise UserError(f"--compare: {name} has other problems in A than in B; evaluate both anew")
    if len(first) < 2:
        return [f"{name}: one question is no comparison"]
    found = difference(list(first.values()), [second[id_] for id_ in first])
    return [
        f"{name}: A {100 * found.first:.1f}, B {100 * found.second:.1f}",
        f"  B - A: {_signed(found.mean)} (95%: {_signed(found.low)} to {_signed(found.high)}),"
        f" standard error {100 * found.error:.1f}",
        f"  {found.questions} questions: {found.better} better, {found.worse} worse,"
        f" {found.questions - found.better - found.worse} the same",
        f"  unpaired: {_signed(found.mean - found.unpaired)} to"
        f" {_signed(found.mean + found.unpaired)}",
        f"  {_verdict(found)}",
    ]


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _verdict(found: Difference) -> str:
    if found.error == 0 and found.mean != 0:
        return "every question changed alike: no spread shows the noise"
    where = "beyond" if found.is_beyond_noise else "within"
    return f"the difference is {where} the noise of which questions are asked"
