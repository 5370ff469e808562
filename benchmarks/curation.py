"""Seconds and memory of a curation; near-duplicates beside datasketch's.

    python benchmarks/curation.py sets GSM8K.jsonl MATH.jsonl DAPO.jsonl  # raw sets, one curation
    python benchmarks/curation.py rows 100000 300000 1000000              # synthetic rows
    python benchmarks/curation.py peer DAPO.jsonl                         # pip install datasketch

Memory is the sum of the resident sets of all processes of the curation, at its peak. Synthetic rows
are sums told in ten wordings, of which one in ten is a copy of an earlier one.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from timed_train import machine

from srpo.data.curate.alone import read
from srpo.data.curate.duplicates import PERMUTATIONS, Duplicates, near
from srpo.data.curate.raw import open_sources
from srpo.data.curate.tokens import tokens_of
from srpo.recipe.curation import RawSource

POLL_S = 0.2
PAGE = os.sysconf("SC_PAGE_SIZE")
WORDINGS = (
    "{a} has {x} red and {y} blue marbles in a bag. How many marbles are in the bag of {a}?",
    "On Monday {a} walked {x} steps, and on Tuesday {y} more than that. How many on both days?",
    "A shop of {a} sold {x} apples before noon and {y} after it. How many apples were sold?",
    "{a} reads {x} pages in the first week and {y} in the second. How many pages are read?",
    "There are {x} birds in one tree and {y} in another. {a} counts all. What is the count?",
    "{a} drives {x} km north and then {y} km further. How long is the whole way in km?",
    "Two boxes hold {x} and {y} nails. {a} puts them together. How many nails are there?",
    "A class has {x} girls and {y} boys, and {a} is the teacher. How many pupils are there?",
    "{a} saved {x} coins last year and {y} this year. How many coins did {a} save at all?",
    "In a garden of {a} grow {x} roses and {y} tulips. How many flowers grow in the garden?",
)
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jo")

app = typer.Typer(help=__doc__)


def memory_mb(root: int) -> float:
    """Of a process and all below it, resident."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                resident[int(entry.name)] = int((entry / "statm").read_text().split()[1])
                parents[int(entry.name)] = int(fields[1])
            except (OSError, IndexError):
                continue
    family = {root}
    while more := {p for p, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(resident.get(p, 0) for p in family) * PAGE / 1e6


def curated(sources: list[Path], out: Path) -> tuple[float, float, str]:
    """Seconds, peak memory in MB, and what the command says."""
    command = [sys.executable, "-m", "srpo.cli", "curate", *map(str, sources), "--out", str(out)]
    start, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    while process.poll() is None:
        peak = max(peak, memory_mb(process.pid))
        time.sleep(POLL_S)
    seconds = time.perf_counter() - start
    said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        sys.exit(f"srpo curate ended with {process.returncode}: {said}")
    return seconds, peak, said.partition("\n")[0]


def synthetic(path: Path, rows: int) -> None:
    rng = random.Random(rows)
    recent: list[str] = []
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            if recent and i % 10 == 9:
                file.write(rng.choice(recent))
                continue
            x, y = rng.randrange(10**5), rng.randrange(10**5)
            prompt = rng.choice(WORDINGS).format(a=rng.choice(NAMES), x=x, y=y)
            line = json.dumps({"prompt": prompt, "answer": str(x + y)}) + "\n"
            recent = [*recent[-99:], line]
            file.write(line)


@app.command()
def sets(files: list[Path]) -> None:
    """Curate real sets together."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        seconds, peak, said = curated(files, Path(folder, "out"))
    print(f"{said.rpartition(':')[0]}: {seconds:.0f} s, {peak:.0f} MB")


@app.command()
def rows(counts: list[int]) -> None:
    """Curate synthetic rows, for each of the counts."""
    print(machine())
    print(f"{'rows':>10}{'seconds':>10}{'rows/s':>10}{'MB':>8}")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "rows.jsonl")
            synthetic(source, count)
            seconds, peak, _ = curated([source], Path(folder, "out"))
        print(f"{count:>10,}{seconds:>10.0f}{count / seconds:>10.0f}{peak:>8.0f}", flush=True)


@app.command()
def peer(
    file: Path, threshold: Annotated[float, typer.Option(help="Jaccard index.")] = 0.65
) -> None:
    """Candidate pairs: ours, and those of datasketch's MinHashLSH on the same shingles."""
    print(machine())
    [raw] = open_sources([RawSource(path=str(file))], 0)
    prompts = [getattr(read(raw, n, row), "prompt", "") for n, row in raw.rows()]
    start = time.perf_counter()
    duplicates = Duplicates()
    for prompt in prompts:
        duplicates.add(prompt)
    groups, pairs = duplicates.suspicious()
    ours = time.perf_counter() - start
    start = time.perf_counter()
    theirs_pairs = datasketch_pairs(prompts, threshold)
    theirs = time.perf_counter() - start
    confirmed = sum(near(prompts[a], prompts[b]) is not None for a, b in theirs_pairs)
    same = sum(len(group) - 1 for group in groups)
    print(f"rows {len(prompts):,}")
    print(f"ours:       {ours:.1f} s, {same} copies by text, {len(pairs)} pairs to look at")
    print(f"datasketch: {theirs:.1f} s, {len(theirs_pairs)} pairs, {confirmed} of them confirmed")
    print(f"ratio {theirs / ours:.1f}")


def datasketch_pairs(prompts: list[str], threshold: float) -> list[tuple[int, int]]:
    sketch: Any = import_module("datasketch")
    index = sketch.MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    found: list[tuple[int, int]] = []
    for place, prompt in enumerate(prompts):
        tokens = tokens_of(prompt)
        signature = sketch.MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([" ".join(tokens[i : i + 3]).encode() for i in range(len(tokens))])
        found += ((other, place) for other in index.query(signature))
        index.insert(place, signature)
    return found


if __name__ == "__main__":
    app()
