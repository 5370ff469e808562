"""The problems of an evaluation: benchmarks, generated problems, a run's own, or any file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.data.reading.hub import download, revision
from srpo.data.reading.names import format_of, stem
from srpo.data.rows import read_rows
from srpo.data.sources import load_problems
from srpo.errors import RowFault
from srpo.evaluation.benchmarks import find_benchmark
from srpo.evaluation.benchmarks.base import Benchmark
from srpo.evaluation.pins import Difference, differences, digest, pinned
from srpo.evaluation.windows import in_window, read_release, read_window
from srpo.recipe.schema import Source, domain_name
from srpo.types import Problem, UserError

HELDOUT = "heldout"
NANO_DEFAULT = 128
SHOWN = 5  # differences from the pinned copy, in warnings


@dataclass(frozen=True)
class ProblemSet:
    """Problems of one domain that get one line of results.

    name      `aime24`, `livecodebench:2024-08..2025-01`, `nano:math`, `heldout:math` or a path
    title     as reports have it
    problems  with ids that begin with the name
    record    what the result keeps of where they are from, the SHA-256 of their texts among it
    warnings  in words
    """

    name: str
    title: str
    domain: str
    problems: list[Problem]
    record: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


def load_sets(
    wanted: Sequence[str | Source],
    folder: Path | None,
    seed: int,
    exclude_errata: bool,
    own: Sequence[Source] = (),
) -> list[ProblemSet]:
    """In the order that they are asked for. Raises UserError.

    Args:
        folder: where benchmarks' files are; None: they come from the hub.
        seed: of generated problems.
        exclude_errata: leave out problems that are known not to be gradable.
        own: the sources that `heldout`, or `heldout:RUN`, stands for.
    """
    found: list[ProblemSet] = []
    for one in wanted:
        if isinstance(one, Source):
            found.append(_of_sources(one.path, [one], seed))
        elif one.partition(":")[0] == HELDOUT:
            found += _heldout(own, seed)
        elif one in ("nano:math", "nano:code"):
            domain = one.partition(":")[2]
            nano = Source(path=one, domain=domain, split="heldout", limit=NANO_DEFAULT)
            found.append(_of_sources(one, [nano], seed))
        elif format_of(Path(one)) or Path(one).exists():
            found.append(_file(one))
        else:
            found.append(_benchmark(one, folder, exclude_errata))
    names = [s.name for s in found]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise UserError(f"--on: {twice[0]!r} is asked for twice; once is enough")
    return found


def _heldout(own: Sequence[Source], seed: int) -> list[ProblemSet]:
    if not own:
        raise UserError(
            "--on: 'heldout' is what the run's data.eval names, and there is no run, or it names"
            " nothing; give a run's folder, or nano:math, or a benchmark"
        )
    ordered = sorted(own, key=lambda s: domain_name(s.domain))
    by_domain = {d: list(s) for d, s in groupby(ordered, lambda s: domain_name(s.domain))}
    return [_of_sources(f"{HELDOUT}:{d}", sources, seed) for d, sources in by_domain.items()]


def _of_sources(name: str, sources: list[Source], seed: int) -> ProblemSet:
    problems = load_problems(sources, "--on", seed)
    record = {"source": [s.model_dump(mode="json") for s in sources], "seed": seed}
    return _set(name, name, problems, record)


def _file(path: str) -> ProblemSet:
    """A file of one domain, in a layout that is known by its columns."""
    problems = [c.problem() for c in _candidates([Path(path)], stem(Path(path)))]
    domains = sorted({p.domain for p in problems})
    if len(domains) > 1:
        raise UserError(f"--on: {path!r} holds {' and '.join(domains)}; give a file of each")
    return _set(path, Path(path).name, problems, {"source": path, "files": _sums([Path(path)])})


def _benchmark(spec: str, folder: Path | None, exclude_errata: bool) -> ProblemSet:
    name, _, part = spec.partition(":")
    benchmark = find_benchmark(name)
    if part and not benchmark.dated:
        raise UserError(f"--on: {spec!r}: {name} is asked as a whole; its problems have no dates")
    paths, record = _located(benchmark, folder, part)
    rows = list(_candidates(paths, name, benchmark))
    problems = [replace(c.problem(), id=id_) for c, id_ in zip(rows, _ids(name, rows), strict=True)]
    record |= {"url": benchmark.url, "license": benchmark.license}
    if part:
        record["part"] = part
    if ".." in part:
        where = f"--on {spec}"
        window = read_window(part, where)
        problems = in_window(problems, window, lambda p: p.meta.get("date"), where)
    found = pinned(name)
    strange = differences(found["problems"], problems)
    strange = [d for d in strange if not (part and d.kind == "missing")]
    record |= {
        "pinned": found["sha256"],
        "differences": [d.line() for d in strange],
    }
    wrong = {p.id: why for p in problems if (why := benchmark.errata.get(p.id.partition("/")[2]))}
    record |= {"errata": wrong, "errata_excluded": exclude_errata}
    if exclude_errata:
        problems = [p for p in problems if p.id not in wrong]
    made = _set(spec, benchmark.title + (f", {part}" if part else ""), problems, record)
    made.warnings.extend(_warnings(benchmark, strange, len(wrong), exclude_errata))
    return made


def _set(name: str, title: str, problems: list[Problem], record: dict[str, Any]) -> ProblemSet:
    if not problems:
        raise UserError(f"--on: {name}: holds no problems; give a set with at least one")
    record |= {"problems": len(problems), "sha256": digest(problems)}
    return ProblemSet(name, title, problems[0].domain, problems, record)


def _located(
    benchmark: Benchmark, folder: Path | None, part: str
) -> tuple[list[str | Path], dict[str, Any]]:
    """The files of a benchmark, or its name on the hub, and where they are for the record."""
    release = bool(part) and ".." not in part
    files = benchmark.hub_files
    if release and not files:
        raise UserError(f"--on: {benchmark.name}:{part}: give dates, as {benchmark.name}:2024-08..")
    if release:
        files = read_release(part, f"--on {benchmark.name}:{part}").files
    if folder is not None:
        found = _files(benchmark, folder, files, release)
        return list(found), {"source": str(folder), "files": _sums(found)}
    where = f"--on {benchmark.name}"
    record: dict[str, Any] = {"source": benchmark.hub, "revision": revision(benchmark.hub, where)}
    if not files:
        return [benchmark.hub], record
    return [download(benchmark.hub, f, record["revision"], where) for f in files], record


def _files(benchmark: Benchmark, folder: Path, of_hub: Sequence[str], release: bool) -> list[Path]:
    """Those of a folder whose names are the benchmark's. Raises UserError."""
    if not folder.is_dir():
        raise UserError(f"--data is {str(folder)!r}: no such folder; give one with the files")
    there = [f for f in sorted(folder.iterdir()) if f.is_file() and format_of(f)]
    named = [f for f in there if f.name in of_hub]
    if named and (len(named) == len(of_hub) or not release):
        return named
    if release:
        raise UserError(
            f"--data: {str(folder)!r} lacks files of that release: it is {', '.join(of_hub)}"
        )
    for pattern in benchmark.files:
        if found := [f for f in there if Path(stem(f)).match(pattern)]:
            return found
    raise UserError(
        f"--data: {str(folder)!r} has no file for {benchmark.name}; call it"
        f" {benchmark.files[0].rstrip('*')}.jsonl, or leave --data out to take {benchmark.hub}"
    )


def _candidates(
    paths: Sequence[str | Path], name: str, benchmark: Benchmark | None = None
) -> Iterable[Candidate]:
    """All rows. A row that cannot be read is an error: a score without it would be another."""
    for path in paths:
        layout = None
        for number, row in read_rows(path):
            if isinstance(row, RowFault):
                raise row
            if benchmark is not None and not benchmark.belongs(row):
                continue
            layout = layout or find_layout(row, str(path))
            candidate = read_row(layout, row, name, number)
            if not candidate.prompt.strip() or (not candidate.answer and candidate.tests is None):
                what = "question" if not candidate.prompt.strip() else "answer and no tests"
                raise UserError(f"--on: {path} row {number} has no {what}; give a whole copy")
            yield candidate


def _ids(name: str, rows: Sequence[Candidate]) -> list[str]:
    """By the ids of the data, where they tell the problems apart; else by their numbers."""
    own = [str(c.meta.get("original_id", "")) for c in rows]
    if len(set(own)) < len(own) or "" in own:
        own = [str(number) for number in range(len(rows))]
    return [f"{name}/{one}" for one in own]


def _sums(files: Sequence[Path]) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def _warnings(
    benchmark: Benchmark, strange: Sequence[Difference], wrong: int, excluded: bool
) -> Iterable[str]:
    changed = [d for d in strange if d.kind in ("text", "answer")]
    for d in changed[:SHOWN]:
        yield f"{benchmark.name}: differs from the pinned copy: {d.line()}"
    if len(changed) > SHOWN:
        yield f"{benchmark.name}: {len(changed) - SHOWN} more differ; result.json lists them"
    words = {"missing": "of the pinned copy are missing", "added": "are not in the pinned copy"}
    for kind, said in words.items():
        if count := sum(d.kind == kind for d in strange):
            yield f"{benchmark.name}: {count} problems {said}"
    if wrong and not excluded:
        yield (
            f"{benchmark.name}: {wrong} problems are known not to be gradable; exclude_errata=true"
            " leaves them out"
        )
