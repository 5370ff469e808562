"""Data sets of the Hugging Face hub, and folders in the hub's layout, by the `datasets` library."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from srpo.data.reading.faults import Broken, Found, first_line
from srpo.data.reading.names import format_of, has_rows
from srpo.data.reading.tables import BATCH_ROWS, given_columns, table_rows
from srpo.types import UserError

SECONDS = 10.0  # the library itself tries for half a minute
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_OF_FILES = (".txt", ".tsv", ".zip", ".gz", ".zst", ".xz", ".bz2", ".arrow", ".yaml", ".yml", ".py")
_FORM = "NAME:CONFIG:SPLIT, with NAME::SPLIT where there is one configuration"


@dataclass(frozen=True)
class HubName:
    """`openai/gsm8k:main:train`, or a folder in the place of the data set's name."""

    name: str
    config: str | None
    split: str | None
    is_folder: bool


def hub_name(path: str | Path) -> HubName | None:
    """What is read by the library: `owner/name[:config[:split]]`, where no such file exists and the
    name does not end as files do; a folder with a config or a split; and a folder whose files are
    all in folders of its own. None for all else."""
    name, *more = str(path).split(":")
    if Path(path).exists():
        is_layout = Path(path).is_dir() and _is_layout(Path(path))
        return HubName(str(path), None, None, True) if is_layout else None
    if len(more) > 2:
        return None
    config, split = ([part or None for part in more] + [None, None])[:2]
    if more and Path(name).is_dir():
        return HubName(name, config, split, True)
    is_file = format_of(PurePath(name)) or PurePath(name).suffix in _OF_FILES
    if is_file or not _REPOSITORY.fullmatch(name):
        return None
    return HubName(name, config, split, False)


def _is_layout(folder: Path) -> bool:
    files = [file for file in folder.rglob("*") if has_rows(file) and file.is_file()]
    return bool(files) and all(file.parent != folder for file in files)


def hub_rows(name: HubName, wanted: list[str] | None, where: str) -> Found:
    """The rows, with the values of the wanted columns alone: of others, which may be pictures or
    sounds, the names. Raises UserError where it cannot be loaded, Broken where it ends early."""
    done = 0
    for table in _tables(_loaded(name, where)):
        names = table.column_names
        yield from table_rows(table, names, given_columns(names, wanted), where, done)
        done += table.num_rows
    if not done:
        raise Broken("holds no rows; give a split with at least one")


def _tables(loaded: Any) -> Iterator[pa.Table]:
    """As Arrow tables, in which nothing is decoded."""
    try:
        yield from loaded.with_format("arrow").iter(batch_size=BATCH_ROWS)
    except Exception as error:  # whatever the readers of its many formats raise
        raise Broken(f"cannot be read on: {first_line(error)}; download it anew") from error


def _loaded(name: HubName, where: str) -> Any:
    """One split. What comes from the hub is downloaded as a whole, and kept for the next run; a
    folder is read as it lies. Never is code of the data set's own run."""
    datasets = _library(where)
    if not name.is_folder:
        _reach(name, where)
    try:
        place, config = _place(datasets, name)
        found = datasets.load_dataset(place, config, split=name.split, streaming=name.is_folder)
    except Exception as error:  # of the library: many types
        why = " ".join(str(error).split())[:400] or type(error).__name__
        raise UserError(f"{where}: cannot be loaded: {why}; give {_FORM}") from error
    if not isinstance(found, dict):
        return found
    if len(found) == 1:
        return next(iter(found.values()))
    splits = ", ".join(map(str, found)) or "none"
    given = f"{name.name}:{name.config or ''}:{next(iter(found), 'SPLIT')}"
    raise UserError(f"{where}: which split? It has {splits}; name one, as {given}")


def _place(datasets: Any, name: HubName) -> tuple[str, str | None]:
    """What the library takes: where a folder's README lists no configurations, the folders within
    it are these."""
    if not name.is_folder:
        return name.name, name.config
    folder = Path(name.name).resolve()
    inner = folder / name.config if name.config else folder
    if inner == folder or not inner.is_dir():
        return str(folder), name.config
    if name.config in datasets.get_dataset_config_names(str(folder)):
        return str(folder), name.config
    return str(inner), None


def _library(where: str) -> Any:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as error:
        raise UserError(
            f"{where}: no such file; if it is a data set of the Hugging Face hub, or a folder in"
            " the hub's layout, it is read by the datasets library: pip install 'srpo[data]'"
        ) from error
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)  # errors are said once
    return datasets


def revision(name: str, where: str) -> str | None:
    """The commit of a data set of the hub that is read now; None where the hub is switched off.
    Raises UserError where it is out of reach."""
    found = _reach(HubName(name.partition(":")[0], None, None, False), where)
    return None if found is None else found.sha


def download(name: str, file: str, revision: str | None, where: str) -> Path:
    """One file of a data set of the hub, as it was at a commit. Raises UserError."""
    hub = importlib.import_module("huggingface_hub")
    try:
        found = hub.hf_hub_download(name, file, repo_type="dataset", revision=revision)
    except Exception as error:  # of the library: many types
        why = " ".join(str(error).split())[:400] or type(error).__name__
        raise UserError(f"{where}: {name} {file} cannot be downloaded: {why}") from error
    return Path(found)


def _reach(name: HubName, where: str) -> Any:
    """What the hub says of a data set, None where it is switched off. Raises UserError, soon, where
    the hub or the data set is out of reach."""
    hub = importlib.import_module("huggingface_hub")
    if hub.constants.HF_HUB_OFFLINE:
        return None  # the library takes what it has kept
    errors = importlib.import_module("huggingface_hub.errors")
    try:
        return hub.HfApi().dataset_info(name.name, timeout=SECONDS)
    except errors.GatedRepoError as error:
        raise UserError(
            f"{where}: the data set asks you to accept its terms first; do so on its page of the"
            " hub, then `hf auth login`"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{where}: no such file here, and no such data set on the Hugging Face hub; check the"
            " name, and `hf auth login` if it is private"
        ) from error
    except Exception as error:  # no network, a proxy, an outage
        raise UserError(
            f"{where}: no such file here, and the Hugging Face hub cannot be reached"
            f" ({first_line(error)[:120]}); give the path of a file or of a downloaded folder, or"
            " set HF_HUB_OFFLINE=1 to use what was downloaded before"
        ) from error
