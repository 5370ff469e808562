"""Hand a curated folder to the Hugging Face hub."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from srpo.report.push import hub, upload
from srpo.types import UserError

FILES = ("train.parquet", "dropped.parquet", "report.md", "report.html")


def push(out: Path, name: str, api: Any = None) -> str:
    """Upload the data and the reports as the data set `name`, the card as its README; its URL.

    `api` is an `HfApi`; None makes one, with the token of `hf auth login`. Raises UserError for a
    folder that is not a finished curation, without the library, and for what the hub refuses.
    """
    if missing := [file for file in (*FILES, "card.md") if not (out / file).is_file()]:
        raise UserError(f"--out {str(out)!r} has no {missing[0]}: give the folder of a curation")
    api = hub() if api is None else api
    with tempfile.TemporaryDirectory(prefix="srpo-push-") as folder:
        for file in FILES:
            shutil.copyfile(out / file, Path(folder, file))
        shutil.copyfile(out / "card.md", Path(folder, "README.md"))
        return upload(Path(folder), name, "dataset", api)
