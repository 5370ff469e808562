"""Hand a folder to the Hugging Face hub."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal

from srpo.types import UserError


def upload(folder: Path, name: str, kind: Literal["dataset", "model"], api: Any = None) -> str:
    """Upload every file of a folder, privately, as the repository `name`; its URL.

    `api` is an `HfApi`; None makes one, with the token of `hf auth login`. Raises UserError without
    the library, and for what the hub refuses.
    """
    api = hub() if api is None else api
    try:
        api.create_repo(name, repo_type=kind, private=True, exist_ok=True)
        api.upload_folder(repo_id=name, repo_type=kind, folder_path=str(folder))
    except Exception as error:  # of the library: many types
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(f"--push {name}: {why}; is `hf auth login` done?") from error
    place = f"datasets/{name}" if kind == "dataset" else name
    return f"{getattr(api, 'endpoint', '').rstrip('/')}/{place}"


def hub() -> Any:
    """An `HfApi`. Raises UserError without the library."""
    try:
        return importlib.import_module("huggingface_hub").HfApi()
    except ImportError as error:
        raise UserError("--push needs huggingface_hub: pip install 'srpo[data]'") from error
