"""Load a causal language model and its tokenizer: nano, a folder, or a hub id.

Code that lies in a model's folder is never run: `trust_remote_code=False` is said each time, since
transformers asks on standard input where nothing is said.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging

from srpo.types import UserError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")


def model_path(name: str) -> str:
    """`nano` becomes the packaged folder, `~` the home; anything else stays as it is."""
    if name == "nano":
        return str(resources.files("srpo.nano") / "base")
    return os.path.expanduser(name)


def load_tokenizer(name: str) -> Any:
    """The model's tokenizer. Raises UserError when there is none to load."""
    path = model_path(name)
    _check_folder(name, path)
    if Path(path).is_dir() and not any((Path(path) / f).is_file() for f in TOKENIZER_FILES):
        # transformers would make up an empty tokenizer from config.json alone
        raise UserError(
            f"model: folder {name!r} has no tokenizer; put tokenizer.json and"
            " tokenizer_config.json beside the weights"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    except Exception as error:  # transformers raises many types here, all mean the same to a user
        _refuse_custom_code(name, "tokenizer_config.json", error)
        raise UserError(
            f"model: {name!r} has no tokenizer that transformers can load ({_first_line(error)});"
            " put tokenizer.json and tokenizer_config.json beside the weights"
        ) from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"model: the tokenizer of {name!r} has no eos_token; set one and save it")
    return tokenizer


def load_model(name: str, dtype: str, device: torch.device) -> PreTrainedModel:
    """The model with its weights, in `dtype` on `device`. Raises UserError."""
    path = model_path(name)
    _check_folder(name, path)
    logging.disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            path, dtype=getattr(torch, dtype), trust_remote_code=False
        )
    except Exception as error:  # as above
        _refuse_custom_code(name, "config.json", error)
        raise UserError(
            f"model: cannot load {name!r} as a causal language model ({_first_line(error)});"
            " give nano, a folder in Hugging Face format, or a hub id"
        ) from error
    return model.to(device)  # pyright: ignore[reportArgumentType]


def eos_ids(model: PreTrainedModel, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a response: the tokenizer's and the generation config's."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    several = configured if isinstance(configured, list) else [configured]
    return frozenset(i for i in (*several, tokenizer.eos_token_id) if i is not None)


def pick_device(name: str) -> torch.device:
    """The device that a recipe names. Raises UserError for a GPU that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("learner.device: 'cuda', but torch sees no GPU here; use auto or cpu")
    return torch.device(name)


def _check_folder(name: str, path: str) -> None:
    folder = Path(path)
    looks_like_path = name.startswith((".", "/", "~")) or folder.exists()
    if looks_like_path and not (folder / "config.json").is_file():
        raise UserError(f"model: folder {name!r} has no config.json; it is no model folder")


def _refuse_custom_code(name: str, file: str, error: Exception) -> None:
    """Raises UserError when the model cannot be loaded without code of its own."""
    if "trust_remote_code" in str(error):
        raise UserError(
            f"model: {name!r} wants code of its own (auto_map in its {file}), and srpo does not run"
            " code from model folders; give a model that transformers itself knows, or save this"
            " one for a class of transformers' and remove auto_map"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
