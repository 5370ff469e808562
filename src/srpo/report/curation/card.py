"""`card.md`: a data-set card as the hub shows it, with sources, licences, checksums, command."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from srpo.report.curation.page import conclusions
from srpo.report.curation.sheets import sheets
from srpo.report.curation.summary import Summary
from srpo.report.sheet import escape, table_lines


@dataclass(frozen=True)
class Origin:
    """A raw data set, as the card names it."""

    name: str
    path: str
    license: str
    files: list[dict[str, Any]]  # file, bytes, sha256


COLUMNS = {
    "id": "source and row number, e.g. `dapo_math_17k:10611`",
    "domain": "`math` or `code`: what judges answers",
    "prompt": "the question",
    "answer": "math: the gold answers, each of which is accepted",
    "tests": "code: JSON, see `srpo.verifiers.code.tests`",
    "reference": "code: a program that passes the tests, where there is one",
    "solution": "math: a worked solution, where there is one",
    "system": "a system message, where there is one",
    "source, row": "where it stood, counted from 0",
    "language": "ISO 639-1",
    "difficulty, pass_rate, samples, correct": "how often the rating's model solved it",
    "meta": "JSON: topic, level, url, date, original_id",
    "changes": "what cleaning did",
    "notes": "what was found and is no reason to drop it",
}


def card(s: Summary, name: str, origins: list[Origin], command: str, recipe: str, out: Path) -> str:
    """The card's Markdown. `recipe` is the curation's recipe as YAML; `out` has the data files."""
    domains = sorted(s.lengths)
    head = {
        "configs": [{"config_name": "default", "data_files": "train.parquet"}],
        "language": sorted(x for x in s.languages if len(x) == 2),
        "size_categories": [_size(s.kept)],
        "tags": ["srpo", "reinforcement-learning", "verifiable-rewards", *domains],
        "task_categories": ["text-generation"],
    }
    lines = ["---", yaml.safe_dump(head, sort_keys=False).rstrip(), "---", "", f"# {escape(name)}"]
    lines += ["", " ".join(conclusions(s)), ""]
    lines += ["Load it with", "", "```python", "from datasets import load_dataset", ""]
    lines += ['load_dataset("parquet", data_files="train.parquet")', "```", "", "## Sources", ""]
    for origin in origins:
        lines.append(f"- {escape(origin.path)}, licence: {escape(origin.license)}")
        for file in origin.files:
            lines.append(
                f"  - `{file['file']}`, {file['bytes']:,} bytes, SHA-256 `{file['sha256']}`"
            )
    lines += [
        "",
        "## Columns",
        "",
        *(f"- `{k}`: {v}" for k, v in COLUMNS.items()),
        "",
        "## Rows",
        "",
    ]
    for sheet in sheets(s):
        lines += table_lines(sheet)
    lines += [
        "## How it was made",
        "",
        "```sh",
        command,
        "```",
        "",
        "```yaml",
        recipe.rstrip(),
        "```",
    ]
    lines += ["", "## Checksums", ""]
    for file in ("train.parquet", "dropped.parquet"):
        with (out / file).open("rb") as opened:
            lines.append(f"- `{file}`: `{hashlib.file_digest(opened, 'sha256').hexdigest()}`")
    return "\n".join(lines) + "\n"


def _size(rows: int) -> str:
    for most, name in ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K")):
        if rows < most:
            return name
    return "100K<n<1M" if rows < 10**6 else "n>1M"
