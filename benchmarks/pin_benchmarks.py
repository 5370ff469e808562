"""Make the fingerprints of benchmarks' texts anew, from copies in a folder.

    python benchmarks/pin_benchmarks.py FOLDER --source "where the copies are from" [NAME ...]

writes src/srpo/evaluation/benchmarks/pins/NAME.json. The texts themselves stay where they are. With
`--statements FILE NAME` the pins are made from a file without tests, such as a submission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from srpo.data.adapters import find_layout, read_row
from srpo.data.rows import file_rows
from srpo.evaluation import benchmarks
from srpo.evaluation.pins import dump
from srpo.evaluation.sets import load_sets
from srpo.types import Problem, UserError

PINS = Path(benchmarks.__file__).parent / "pins"


def main(
    folder: Path,
    names: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    source: Annotated[str, typer.Option(help="Where the copies are from.")] = "not stated",
    statements: Annotated[bool, typer.Option(help="FOLDER is a file without tests.")] = False,
) -> None:
    if statements:
        [name] = names or []
        problems = list(_statements(folder, name))
        (PINS / f"{name}.json").write_text(dump(source, problems), encoding="utf-8")
        print(f"{name}: {len(problems)} problems")
        return
    for name in names or benchmarks.BENCHMARKS:
        try:
            [found] = load_sets([name], folder, 0, exclude_errata=False)
        except UserError as error:
            print(f"{name}: left alone: {error}")
            continue
        PINS.mkdir(exist_ok=True)
        (PINS / f"{name}.json").write_text(dump(source, found.problems), encoding="utf-8")
        print(f"{name}: {len(found.problems)} problems, {found.record['sha256'][:12]}")


def _statements(file: Path, name: str) -> Iterator[Problem]:
    for number, row in enumerate(file_rows(file, None, str(file))):
        found = read_row(find_layout(row, name), row, name, number)
        yield replace(found.problem(), id=f"{name}/{found.meta['original_id']}")


if __name__ == "__main__":
    typer.run(main)
