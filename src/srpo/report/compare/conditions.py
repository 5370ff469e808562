"""Runs put into conditions: runs whose recipes differ in nothing but the seed belong together."""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from srpo.metrics import Row
from srpo.recipe.load import parse_recipe
from srpo.report.plain import one_line
from srpo.report.reader import Record, Run, is_run, open_run
from srpo.types import POOL_EXHAUSTED, UserError

# A condition's name should rather tell what was varied than how long or where it ran.
LAST_NAMES = ("max_steps", "model", "data", "eval", "verifier", "checkpoint", "log")
MAX_NAME_FIELDS = 4
# What a held-out result depends on besides the policy: with other values it is another measure.
# A name stands for all fields below it.
MEASURE = (
    "data.eval",
    "data.style",
    "data.template",
    "data.system",
    "eval",
    "rollout.temperature",
    "rollout.top_p",
    "rollout.max_new_tokens",
    "reward.math_format",
    "reward.code_format",
    "verifier.time_limit_s",
    "verifier.memory_mb",
)
SCHEDULE = ("eval.at", "eval.every")  # when it is measured, which changes no result


@dataclass(frozen=True)
class Member:
    """One run of a condition, read once."""

    run: Run
    seed: int
    fields: dict[str, Any]  # the recipe, flat: "sampler.strategy" -> value; no seed, no output_dir
    rows: list[Row]
    evals: list[Record]
    exhausted: bool  # ended because its pool had no prompt left to train on

    @property
    def name(self) -> str:
        return one_line(self.run.path.name or str(self.run.path), 60)


@dataclass(frozen=True)
class Condition:
    """Runs that differ in nothing but the seed, in the seeds' order."""

    name: str  # `sampler.strategy=history`, or the name given
    members: list[Member]
    label: str  # `strategy=history`: for tables and sentences

    @property
    def seeds(self) -> list[int]:
        return [m.seed for m in self.members]


@dataclass(frozen=True)
class Grouping:
    """The conditions in the order given. `varied`: every recipe field that is not the same in all
    runs, with its value in each condition. `warnings`: why they may not be comparable."""

    conditions: list[Condition]
    varied: dict[str, list[str]]
    warnings: list[str]


def group_runs(arguments: Sequence[str]) -> Grouping:
    """Conditions from the command's arguments: run folders, or NAME=GLOB.

    Raises:
        UserError: a folder that is no run, a pattern without runs, names for some runs only, a
            seed twice in one condition, or fewer than two conditions.
    """
    named: dict[str, list[Member]] = {}
    loose: list[Member] = []
    for argument in dict.fromkeys(arguments):
        name, equals, pattern = argument.partition("=")
        if equals and not Path(argument).is_dir():
            named.setdefault(_name(name, argument), []).extend(_matching(pattern, argument))
        else:
            loose.append(_member(Path(argument)))
    if named and loose:
        raise UserError(
            f"{str(loose[0].run.path)!r} has no name, but other arguments do: give every run as"
            " NAME=GLOB, or none"
        )
    conditions = [Condition(n, _by_seed(n, m), n) for n, m in named.items()]
    conditions = conditions or _conditions(loose)
    if len(conditions) < 2:
        raise UserError(
            "compare: all runs have the same recipe but for the seed, so there is nothing to hold"
            " against it: give runs of two recipes, or name two sets with NAME=GLOB"
        )
    return Grouping(conditions, _varied(conditions), _warnings(conditions))


def flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Values by dotted path. A list is one value: its items have no names of their own. What a
    section's `kind` says goes by the section's name."""
    if not isinstance(tree, dict) or not tree:
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        flat |= flatten(value, prefix if prefix and key == "kind" else path)
    return flat


def telling_fields(recipes: Sequence[dict[str, Any]]) -> list[str]:
    """The fewest fields whose values tell all these recipes apart, which are all different.

    Among equally many, fields of the method go before those of budgets and bookkeeping, then the
    recipe's order counts. A field that only some kinds of its section have goes with the kind.
    """
    fields = sorted(differing(recipes), key=lambda f: f.split(".")[0] in LAST_NAMES)
    alone = {f for f in fields if _section(f) not in fields or all(f in r for r in recipes)}
    for size in range(1, min(MAX_NAME_FIELDS, len(fields)) + 1):
        for chosen in combinations(fields, size):
            clear = all(f in alone or _section(f) in chosen for f in chosen)
            if clear and len({_key(r, chosen) for r in recipes}) == len(recipes):
                return list(chosen)
    return fields


def differing(recipes: Sequence[dict[str, Any]]) -> list[str]:
    """Fields that do not have the same value in all recipes; a missing field is a value too,
    unless it is missing because its section is of another kind there."""

    def differ(field: str, among: Sequence[dict[str, Any]]) -> bool:
        return len({_key(r, (field,)) for r in among}) > 1

    found = [f for f in dict.fromkeys(f for r in recipes for f in r) if differ(f, recipes)]
    return [
        f for f in found if _section(f) not in found or differ(f, [r for r in recipes if f in r])
    ]


def _section(field: str) -> str:
    return field.rpartition(".")[0]


def _key(recipe: dict[str, Any], fields: Sequence[str]) -> str:
    return json.dumps([recipe.get(f) for f in fields], sort_keys=True, default=str)


def _conditions(members: list[Member]) -> list[Condition]:
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(_key(member.fields, sorted(member.fields)), []).append(member)
    recipes = [group[0].fields for group in groups.values()]
    fields = telling_fields(recipes)
    names, labels = _names(recipes, fields), _names(recipes, fields, short=True)
    parts = zip(names, labels, groups.values(), strict=True)
    return [Condition(n, _by_seed(n, g), label) for n, label, g in parts]


def _names(recipes: list[dict[str, Any]], fields: list[str], short: bool = False) -> list[str]:
    """`field=value, ...` of each recipe; short: without the fields' sections, if still clear."""
    last = [f.rpartition(".")[2] for f in fields]
    heads = last if short and len(set(last)) == len(last) else fields
    pairs = list(zip(heads, fields, strict=True))
    names = [
        ", ".join(f"{h}={_shown(r, f)}" for h, f in pairs if f in r or _section(f) not in fields)
        for r in recipes
    ]
    if len(set(names)) < len(names):  # long values that were cut
        return [f"{name} #{i}" for i, name in enumerate(names, 1)]
    return names


def _shown(recipe: dict[str, Any], field: str) -> str:
    return value_text(recipe[field]) if field in recipe else "-"


def value_text(value: Any) -> str:
    """A field's value in a few words."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return one_line(value, 40)
    return one_line(json.dumps(value, default=str, ensure_ascii=False), 40)


def _name(name: str, argument: str) -> str:
    if not name.strip():
        raise UserError(f"{argument!r}: the name before '=' is empty; write NAME=GLOB")
    return one_line(name, 60)


def _matching(pattern: str, argument: str) -> list[Member]:
    folders = [Path(p) for p in sorted(glob.glob(pattern)) if is_run(Path(p))]
    if not folders:
        raise UserError(
            f"{argument!r}: no run matches {pattern!r}; give a pattern of run folders, in quotes"
        )
    return [_member(folder) for folder in folders]


def _member(folder: Path) -> Member:
    run = open_run(folder)
    where = run.files.recipe
    try:
        tree = yaml.safe_load(where.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{str(where)!r} is damaged: {one_line(str(error), 200)}") from error
    # Parsing gives a recipe of an older version the fields that it lacks, with their defaults.
    fields = flatten(parse_recipe(tree, str(where)).model_dump(mode="json"))
    seed = fields.pop("seed")
    del fields["output_dir"]
    exhausted = (run.summary() or {}).get("ended") == POOL_EXHAUSTED
    return Member(run, seed, fields, run.metrics(), run.evals(), exhausted)


def _by_seed(name: str, members: list[Member]) -> list[Member]:
    unique = {m.run.path.resolve(): m for m in members}.values()
    seen: dict[int, Member] = {}
    for member in unique:
        if (other := seen.get(member.seed)) is not None:
            raise UserError(
                f"{name}: seed {member.seed} is there twice, in {str(other.run.path)!r} and"
                f" {str(member.run.path)!r}; such runs are no independent evidence: leave one out"
            )
        seen[member.seed] = member
    return [seen[s] for s in sorted(seen)]


def _varied(conditions: list[Condition]) -> dict[str, list[str]]:
    every = [m.fields for c in conditions for m in c.members]
    varied = {}
    for field in differing(every):
        texts = [dict.fromkeys(_shown(m.fields, field) for m in c.members) for c in conditions]
        varied[field] = [" / ".join(t) for t in texts]
    return varied


def _warnings(conditions: list[Condition]) -> list[str]:
    members = [m for c in conditions for m in c.members]
    measure = [f for f in differing([m.fields for m in members]) if _is_measure(f)]
    found = []
    if measure:
        found.append(
            f"NOT COMPARABLE as they stand: runs differ in {', '.join(measure)}, so their held-out"
            " results measure different things."
        )
    found += [w for w in (_sizes(members), _changed(members, "data.train", _trained_on),
                          _changed(members, "data.eval", _evaluated_on)) if w]  # fmt: skip
    for c in conditions:
        if mixed := differing([m.fields for m in c.members]):
            found.append(
                f"{c.name}: its runs differ in more than the seed ({_some(mixed)}); the spread"
                " between them is not that of seeds."
            )
    unfinished = [m.name for m in members if m.run.summary() is None]
    if unfinished:
        found.append(f"Not finished, taken as far as they are: {_some(unfinished)}.")
    return found


def _is_measure(field: str) -> bool:
    above = any(field == name or field.startswith(f"{name}.") for name in MEASURE)
    return above and field not in SCHEDULE


def _sizes(members: list[Member]) -> str:
    """Runs that were evaluated on different numbers of problems did not have the same ones."""
    sizes = dict.fromkeys(
        json.dumps({d: r["problems"] for d, r in e.items() if isinstance(r, dict)}, sort_keys=True)
        for m in members
        for e in m.evals
    )
    if len(sizes) < 2:
        return ""
    return f"NOT COMPARABLE as they stand: numbers of held-out problems differ: {_some(sizes)}."


def _trained_on(member: Member) -> list[str]:
    found = member.run.trained_on()
    return [found] if found else []


def _evaluated_on(member: Member) -> list[str]:
    return [line["fingerprint"] for line in member.evals if "fingerprint" in line]


def _changed(members: list[Member], field: str, prints: Callable[[Member], list[str]]) -> str:
    """The same files by name, but other problems: they were changed between runs, or in one."""
    first: dict[str, tuple[str, Member]] = {}
    for member in members:
        # Generated problems follow the seed.
        same = f"{_key(member.fields, (field,))} {member.seed}"
        for found in prints(member):
            known, other = first.setdefault(same, (found, member))
            if found != known:
                names = " and ".join(dict.fromkeys((other.name, member.name)))
                return (
                    f"NOT COMPARABLE as they stand: {names}: the same {field}, but its problems"
                    " differ: a data file was changed in between."
                )
    return ""


def _some(names: Any) -> str:
    names = list(names)
    shown = ", ".join(map(str, names[:6]))
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
