"""Load a causal language model and its tokenizer: nano, a folder, or a hub id.

Code that lies in a model's folder is never run: `trust_remote_code=False` is said each time, since
transformers asks on standard input where nothing is said.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants
from huggingface_hub.utils import get_session
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from srpo.errors import in_one_line
from srpo.types import UserError, short

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")


def model_path(name: str) -> str:
    """`nano` becomes the packaged folder, `~` the home; anything else stays as it is."""
    if name == "nano":
        return str(resources.files("srpo.nano") / "base")
    return os.path.expanduser(name)


def load_tokenizer(name: str, offline: bool = False) -> Any:
    """The model's tokenizer. Raises UserError when there is none to load; `offline`, also when it
    is not on this machine."""
    path = model_path(name)
    _check_folder(name, path)
    if Path(path).is_dir() and not any((Path(path) / f).is_file() for f in TOKENIZER_FILES):
        # transformers would make up an empty tokenizer from config.json alone
        raise UserError(
            f"model: folder {name!r} has no tokenizer; put tokenizer.json and"
            " tokenizer_config.json beside the weights"
        )
    away = not offline and _is_away(path)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            path, trust_remote_code=False, local_files_only=offline or away
        )
    except Exception as error:  # transformers raises many types here, all mean the same to a user
        _refuse_custom_code(name, "tokenizer_config.json", error)
        _refuse_unreached(name, away, error)
        raise UserError(
            f"model: {name!r} has no tokenizer that transformers can load"
            f" ({in_one_line(error, 300)}); put tokenizer.json and tokenizer_config.json beside the"
            " weights"
        ) from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"model: the tokenizer of {name!r} has no eos_token; set one and save it")
    return tokenizer


def load_model(name: str, dtype: str, device: torch.device) -> PreTrainedModel:
    """The model with its weights, in `dtype` on `device`. Raises UserError, also for a folder that
    lacks some of them: transformers makes up the missing ones, at random and each time others."""
    path = model_path(name)
    logging.disable_progress_bar()
    with _loading(name, path) as away:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=getattr(torch, dtype),
            trust_remote_code=False,
            local_files_only=away,
            output_loading_info=True,
        )
    model, found = loaded
    if missing := sorted(found["missing_keys"]):
        raise UserError(
            f"model: {name!r} lacks {len(missing)} of the weights of a {type(model).__name__}"
            f" ({', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}); give a model folder"
            " with all of them"
        )
    if device.type == "cuda":
        # cuDNN's attention, torch's first choice for bfloat16 on Hopper, plans anew for every new
        # length, and decoding has a new one each token: 8 times slower there than without it.
        torch.backends.cuda.enable_cudnn_sdp(False)
    return model.to(device)


def saved_dtype(name: str) -> torch.dtype:
    """The precision of a model's files, as its config has it; float32 where it says nothing."""
    path = model_path(name)
    config = AutoConfig.from_pretrained(
        path, trust_remote_code=False, local_files_only=_is_away(path)
    )
    found = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)
    return found if isinstance(found, torch.dtype) else getattr(torch, str(found), torch.float32)


def outline(name: str) -> tuple[Any, int]:
    """The text part of a model's config, and how many parameters it has, without its weights.
    Raises UserError."""
    path = model_path(name)
    with _loading(name, path) as away, torch.device("meta"):
        config = AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=away)
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    return config.get_text_config(), sum(p.numel() for p in model.parameters())


def gpu_names() -> str:
    """The GPUs that torch sees, in words; "" for none."""
    count = torch.cuda.device_count()
    names = {torch.cuda.get_device_name(i) for i in range(count)}
    return f"{count} x {', '.join(sorted(names))}" if count else ""


def device_memory(device: torch.device) -> int | None:
    """Bytes in all: the GPU's, or the machine's or the container's limit; None: unknown."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
    with suppress(OSError, ValueError):  # no limit, or no cgroup
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


@contextmanager
def _loading(name: str, path: str) -> Iterator[bool]:
    """Around what loads a model: whether its hub is away, so that only this machine is asked. What
    fails becomes a UserError; what would be warned of is refused or mended."""
    _check_folder(name, path)
    away = _is_away(path)
    try:
        with _quiet():
            yield away
    except Exception as error:  # as above
        _refuse_custom_code(name, "config.json", error)
        _refuse_unreached(name, away, error)
        raise UserError(
            f"model: cannot load {name!r} as a causal language model ({in_one_line(error, 300)});"
            " give nano, a folder in Hugging Face format, or a hub id"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def make_savable(name: str, model: PreTrainedModel, tokenizer: Any) -> str:
    """See to it now that model and tokenizer can be written when training is over.

    Returns:
        What was taken out of the generation config for it; empty in the usual case.

    Raises:
        UserError: something else cannot be written.
    """
    mended = _mend_generation_config(model)
    try:
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder, state_dict={})
            tokenizer.save_pretrained(folder)
    except OSError:
        raise
    except Exception as error:  # as above
        raise UserError(
            f"model: {name!r} could not be saved after training ({in_one_line(error)}); mend its"
            " config.json, generation_config.json or tokenizer_config.json"
        ) from error
    return mended


def _mend_generation_config(model: PreTrainedModel) -> str:
    """transformers loads contradictions (a temperature for `do_sample: false`), and refuses to
    write them. What contradicts does nothing, so it is left out."""
    config = model.generation_config
    if config is None or _is_valid(config):
        return ""
    mended, dropped = GenerationConfig(), []
    for key, value in config.to_diff_dict().items():
        before = getattr(mended, key, None)
        setattr(mended, key, value)
        if not _is_valid(mended):
            setattr(mended, key, before)
            dropped.append(f"{key} {short(value)}")
    model.generation_config = mended
    return (
        f"model: its generation_config.json contradicts itself; model/ is saved without"
        f" {', '.join(dropped)}"
    )


def _is_valid(config: GenerationConfig) -> bool:
    try:
        config.validate(strict=True)
    except Exception:  # ValueError, and whatever a value of a wrong type leads to
        return False
    return True


def eos_ids(model: PreTrainedModel, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a response: the tokenizer's, the generation config's, and the one that
    ends a turn in the chat template, which a model that chats writes whatever its config says."""
    return _eos_ids(getattr(model.generation_config, "eos_token_id", None), tokenizer)


def eos_ids_of(name: str, tokenizer: Any, offline: bool = True) -> frozenset[int]:
    """The same without the weights; `offline`, without asking the hub. Raises OSError."""
    path = model_path(name)
    local = offline or _is_away(path)
    try:
        found: Any = GenerationConfig.from_pretrained(path, local_files_only=local)
    except OSError:  # without such a file, transformers goes by the model's config
        found = AutoConfig.from_pretrained(path, local_files_only=local, trust_remote_code=False)
        found = found.get_text_config()
    return _eos_ids(getattr(found, "eos_token_id", None), tokenizer)


def _eos_ids(configured: int | list[int] | None, tokenizer: Any) -> frozenset[int]:
    several = configured if isinstance(configured, list) else [configured]
    known = (*several, tokenizer.eos_token_id, *turn_ends(tokenizer))
    return frozenset(i for i in known if i is not None)


def turn_ends(tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer in the tokenizer's chat templates, one a template. A template
    that ends answers with text alone, or that fails, has none."""
    templates = getattr(tokenizer, "chat_template", None) or {}
    several = templates.values() if isinstance(templates, dict) else [templates]
    found = [_turn_end(tokenizer, template) for template in several]
    return frozenset(i for i in found if i is not None)


def _turn_end(tokenizer: Any, template: str) -> int | None:
    """The first control token behind an answer: at the end of a chat, or else before the next
    question (gpt-oss ends the two in different ways, and the first is the one)."""
    ask, answer, again = "Question one?", "Answer two.", "Question three?"
    chat = [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]
    for messages in (chat, [*chat, {"role": "user", "content": again}]):
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, chat_template=template)
        except Exception:  # whoever uses the template says so
            continue
        behind = text.rpartition(answer)[2].partition(again)[0]
        ids = tokenizer(behind, add_special_tokens=False).input_ids if behind else []
        marks = [tokenizer.added_tokens_decoder.get(i) for i in ids]
        # Some tokenizers have runs of spaces as added tokens, which are no marks.
        kinds = (lambda t: t.special, lambda t: bool(t.content.strip()))
        for is_mark in kinds:
            for i, token in zip(ids, marks, strict=True):
                if token is not None and is_mark(token):
                    return i
    return None


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


def _is_away(path: str) -> bool:
    """Whether a hub id has to do with what is on this machine."""
    return not Path(path).is_dir() and not _hub_answers()


@lru_cache(maxsize=1)
def _hub_answers() -> bool:
    """Asked once, since the hub's own client asks each file six times, over half a minute."""
    try:
        get_session().head(constants.ENDPOINT, timeout=10)
    except Exception:  # each way of having no network has its own type, and so has being offline
        return False
    return True


def _refuse_unreached(name: str, away: bool, error: Exception) -> None:
    """Raises UserError when the model is not here and the hub is not there."""
    if away:
        raise UserError(
            f"model: {name!r} is no folder here and not in the hub's cache, and"
            f" {constants.ENDPOINT} cannot be reached; give a model's folder or nano, or mend the"
            " network (HF_ENDPOINT, HTTPS_PROXY; HF_HUB_OFFLINE switches it off)"
        ) from error


def _refuse_custom_code(name: str, file: str, error: Exception) -> None:
    """Raises UserError when the model cannot be loaded without code of its own."""
    if "trust_remote_code" in str(error):
        raise UserError(
            f"model: {name!r} wants code of its own (auto_map in its {file}), and srpo does not run"
            " code from model folders; give a model that transformers itself knows, or save this"
            " one for a class of transformers' and remove auto_map"
        ) from error
