"""What the name of a file says of it."""

from __future__ import annotations

from pathlib import PurePath

from srpo.data.reading.packed import CODECS

FORMATS = (".jsonl", ".json", ".parquet", ".csv")
SHOWN = "a .jsonl, .json, .parquet or .csv file, also as .gz or .zst"


def format_of(path: PurePath) -> str | None:
    """One of FORMATS, whether or not the file is packed."""
    return suffix if (suffix := _unpacked(path).suffix) in FORMATS else None


def has_rows(path: PurePath) -> bool:
    """Whether a file of a folder is data: neither hidden nor about the data."""
    about = path.name.startswith((".", "README", "dataset_info"))
    return not about and format_of(path) is not None


def stem(path: PurePath) -> str:
    """The name without what says how it is written: the same for a packed file."""
    return _unpacked(path).stem if format_of(path) else path.stem


def _unpacked(path: PurePath) -> PurePath:
    return path.with_suffix("") if path.suffix in CODECS else path
