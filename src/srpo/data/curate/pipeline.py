"""From raw data sets to verified problems: `curate`, in which every row leaves by one of two doors.

Stages, in order: read and clean; complete; filter; language; verify golds (each row alone, on every
core); duplicates and contamination (all rows together); verify programs; difficulty. What is done
is kept beside the output until the end: the same command goes on where it was stopped.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from srpo.data.candidate import Candidate
from srpo.data.curate.alone import Chunk, RowJudge
from srpo.data.curate.difficulty import band
from srpo.data.curate.judged import TRAIN_SCHEMA, Judged
from srpo.data.curate.programs import try_programs
from srpo.data.curate.raw import Raw, check_apart, open_sources
from srpo.data.curate.reasons import check_allowed
from srpo.data.curate.together import (
    OnPhase,
    Rows,
    without_duplicates,
    without_evaluation_problems,
    without_shared_tests,
)
from srpo.data.curate.work import JudgedWriter, Results, Work, read_judged
from srpo.domains.code import CODE
from srpo.recipe.curation import Curation, RatingConfig
from srpo.types import SRPOError, UserError
from srpo.verifiers.pool import VerifierPool

TRAIN, DROPPED = "train.parquet", "dropped.parquet"

Rate = Callable[[RatingConfig, int, list[Candidate], Callable[[str, Any], None], OnPhase], None]


@dataclass(frozen=True)
class Curated:
    """A curation's folder with its data, and what it was made of."""

    out: Path
    raws: list[Raw]
    rows: int
    work: Work

    def finished(self) -> None:
        """Nothing more is made of it: what a repetition would go on from is removed."""
        self.work.remove()

    @property
    def train(self) -> Path:
        """What training gets."""
        return self.out / TRAIN

    def all_rows(self) -> Iterator[Judged]:
        """The kept ones, then the dropped ones."""
        yield from read_judged(self.out / TRAIN)
        yield from read_judged(self.out / DROPPED)


def curate(config: Curation, out: Path, rate: Rate, on_phase: OnPhase) -> Curated:
    """Write `train.parquet` and `dropped.parquet` into `out`. Call `finished` on what it returns
    when the reports are written, too.

    Args:
        config: with at least one source.
        out: a folder; what it holds of an unfinished curation is used.
        rate: asks a model, see `srpo.run.rating.rate`.
        on_phase: told the phase's name, how much of it is done, and of how much (0: not known).

    Raises:
        UserError: a source is not there or of an unknown layout; `out` has another curation.
    """
    if not config.sources:
        raise UserError("nothing to curate: name a source, or list some in the recipe's sources")
    check_allowed(config)
    raws = open_sources(config.sources, config.seed)
    against = open_sources(config.decontaminate, config.seed)
    check_apart(out, [*config.sources, *config.decontaminate])
    work = Work(out, plan(config, raws, against))
    total = _alone(config, raws, work, on_phase)
    rows = without_shared_tests(work.rows, config.allow)
    rows = without_duplicates(rows, config.allow, on_phase)
    rows = without_evaluation_problems(rows, against, config.allow, on_phase)
    if config.verify:
        rows = _programs(config, rows, work.results("programs"), on_phase)
    rows = _difficulty(config, rows, work.results("difficulty"), rate, on_phase)
    _write(out, rows, total, on_phase)
    return Curated(out, raws, total, work)


def plan(config: Curation, raws: list[Raw], against: list[Raw]) -> dict[str, Any]:
    """All that the outcome depends on: the recipe, and the bytes of the data."""
    return {
        "recipe": config.model_dump(mode="json"),
        "sources": [raw.files() for raw in raws],
        "decontaminate": [raw.files() for raw in against],
    }


# Each row alone


def _alone(config: Curation, raws: list[Raw], work: Work, on_phase: OnPhase) -> int:
    """Judge every row by itself, chunk by chunk; those that have a file are done. How many there
    are."""
    rows = 0

    def chunks() -> Iterator[Chunk]:
        nonlocal rows
        number = 0
        for raw in raws:
            for found in raw.chunks():
                rows += len(found)
                path = work.chunk(number)
                if not path.exists():
                    yield Chunk(raw, found, path)
                number += 1
                on_phase("read, clean, filter", rows, 0)

    waiting = chunks()
    begun = list(islice(waiting, 2))
    workers = min(len(begun), config.verifier.side_by_side)
    if workers > 1:
        _on_every_core(config, chain(begun, waiting))
    else:
        with closing(RowJudge(config)) as judge:
            for chunk in chain(begun, waiting):
                judge.chunk(chunk)
    return rows


def _on_every_core(config: Curation, chunks: Iterator[Chunk]) -> None:
    workers = config.verifier.side_by_side
    running: set[Future[None]] = set()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (config,)) as pool:
        try:
            for chunk in chunks:
                if len(running) >= 2 * workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                running.add(pool.submit(_judge, chunk))
            for future in running:
                future.result()
        except BrokenProcessPool as error:
            raise SRPOError(
                "a process that reads rows has died, most often for want of memory; the same"
                " command goes on (verifier.workers in the recipe: how many there are)"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_judges: list[RowJudge] = []  # one for each worker process, in it


def _begin(config: Curation) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process tells when to end
    _judges.append(RowJudge(config))


def _judge(chunk: Chunk) -> None:
    _judges[0].chunk(chunk)


# Programs


def _programs(config: Curation, rows: Rows, results: Results, on_phase: OnPhase) -> Rows:
    """Run the programs of the code problems that have no result yet."""

    def code() -> Iterator[Candidate]:
        candidates = (j.candidate for j in rows() if j.stays)
        return (c for c in candidates if c.domain == "code" and c.id not in results.found)

    if total := sum(1 for _ in code()):
        on_phase("run programs", 0, total)
        with VerifierPool(config.verifier, [CODE]) as pool:
            for done, (id_, found) in enumerate(try_programs(pool, code()), 1):
                results.add(id_, found)
                on_phase("run programs", done, total)

    def applied(judged: Judged) -> Judged:
        reason, evidence = results.found.get(judged.candidate.id, ("", ""))
        if reason:
            return judged.dropped("verify", reason, evidence, config.allow)
        return judged.noted(evidence) if evidence else judged

    return lambda: map(applied, rows())


# Difficulty


def _difficulty(
    config: Curation, rows: Rows, results: Results, rate: Rate, on_phase: OnPhase
) -> Rows:
    """Ask the model for those that carry no pass rate and have no result yet; then the bands."""
    rating = config.difficulty
    if rating is None:
        return rows
    staying = (j.candidate for j in rows() if j.stays)
    asked = [c for c in staying if c.pass_rate is None and c.id not in results.found]
    if asked:
        rate(rating, config.seed, asked, results.add, on_phase)

    def applied(judged: Judged) -> Judged:
        return judged if not judged.stays else _banded(judged, results.found, rating, config.allow)

    return lambda: map(applied, rows())


def _banded(
    judged: Judged, found: dict[str, Any], rating: RatingConfig, allow: list[str]
) -> Judged:
    result = found.get(judged.candidate.id)
    if isinstance(result, str):
        return judged.dropped("difficulty", "not_rated", result, allow)
    if result is not None:
        samples, correct = result
        rated = replace(judged.candidate, pass_rate=correct / samples)
        judged = replace(judged, candidate=rated, samples=samples, correct=correct)
    rate = judged.candidate.pass_rate
    if rate is None:
        raise SRPOError(f"{judged.candidate.id} was asked and has no result")
    judged = replace(judged, difficulty=band(rate, rating))
    if judged.difficulty in rating.keep:
        return judged
    return judged.dropped("difficulty", f"too_{judged.difficulty}", f"pass rate {rate:.3g}", allow)


# Output


def _write(out: Path, rows: Rows, expected: int, on_phase: OnPhase) -> None:
    """Both files, and a check that no row got lost."""
    with (
        JudgedWriter(out / TRAIN, TRAIN_SCHEMA) as kept,
        JudgedWriter(out / DROPPED) as dropped,
    ):
        for judged in rows():
            (kept if judged.stays else dropped).add(judged)
            on_phase("write", kept.rows + dropped.rows, expected)
        if kept.rows + dropped.rows != expected:
            raise SRPOError(
                f"{expected} rows came in, and {kept.rows} kept and {dropped.rows} dropped would"
                " go out: a bug of ours, please report it"
            )
