"""What a run leaves behind, read back. An unfinished run is a run: files that are still
missing read as empty, and a last line that a kill cut short is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srpo.metrics import Row, domain_of, read_metrics
from srpo.report.colors import Given, domain_style
from srpo.run.files import RunFiles
from srpo.types import UserError

Record = dict[str, Any]  # one JSON object of a run's files


@dataclass(frozen=True)
class Run:
    """A run's folder. Make one with `open_run`, which checks that it is one."""

    path: Path

    @property
    def files(self) -> RunFiles:
        return RunFiles(self.path)

    def styles(self) -> Given:
        """How its domains want to be drawn; none where the file is missing or damaged."""
        try:
            found = json.loads(self.files.domains.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        sound = isinstance(found, dict) and all(isinstance(s, dict) for s in found.values())
        return found if sound else {}

    def metrics(self) -> list[Row]:
        """One row a step."""
        return _read_lines(self.files.metrics)

    def evals(self) -> list[Record]:
        """One row an evaluation, in order."""
        return _read_lines(self.files.evals)

    def summary(self) -> Record | None:
        """The totals; None until the run is finished."""
        file = self.files.summary
        if not file.is_file():
            return None
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(
                f"{str(file)!r} is damaged ({error}); delete it, the report works without"
            ) from error

    def ledger(self) -> Path | None:
        """The ledger's file; None until the first checkpoint."""
        return self.files.ledger if self.files.ledger.is_file() else None

    def generated_tokens(self) -> int:
        """So far, from the last line of the metrics alone, which may be being written."""
        try:
            with self.files.metrics.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
                lines = file.read().splitlines()
            return int(json.loads(lines[-1])["tokens/generated"])
        except (OSError, ValueError, IndexError, KeyError):
            return 0

    def trained_on(self) -> str | None:
        """The fingerprint of its training problems, from the newest checkpoint; None without."""
        for state in self.files.checkpoint_states():
            try:
                found = json.loads(state.read_text(encoding="utf-8")).get("problems")
            except (ValueError, AttributeError):
                continue
            if isinstance(found, str):
                return found
        return None


def is_run(path: Path) -> bool:
    return RunFiles(path).recipe.is_file()


def open_run(path: str | Path) -> Run:
    """The run in this folder. Raises UserError when there is none."""
    folder = Path(path)
    if not folder.is_dir():
        raise UserError(f"{str(path)!r} is no run: there is no such folder; give a run's folder")
    if not is_run(folder):
        raise UserError(
            f"{str(path)!r} is no run: it has no recipe.yaml; give the output_dir of a run"
        )
    return Run(folder)


def read_groups(file: Path) -> Iterator[Record]:
    """The groups of one step's file, one after the other."""
    with file.open("rb") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                return


def domains(rows: list[Row], evals: list[Record]) -> list[str]:
    """The domains that were trained on or evaluated, in the order of their style's rank."""
    found = {d for row in rows for name in row if (d := domain_of(name)) is not None}
    found |= {name for line in evals for name, results in line.items() if isinstance(results, dict)}
    return sorted(found, key=lambda name: (domain_style(name).rank, name))


def stage_starts(rows: list[Row]) -> list[tuple[int, str]]:
    """The first step of each stage, and its name, from the rows of metrics.jsonl."""
    starts: list[tuple[int, str]] = []
    for row in rows:
        name = row.get("stage", "")
        if not starts or starts[-1][1] != name:
            starts.append((row["step"], name))
    return starts


def _read_lines(file: Path) -> list[Row]:
    return read_metrics(file) if file.is_file() else []
