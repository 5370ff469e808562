"""Low-rank adapters (LoRA, arXiv 2106.09685) by peft: they learn, and the model stays.

W becomes W + alpha/rank B A, with A random and B 0 at first. Whoever takes the weights gets the
merged ones, one after the other, under the model's own names, so no engine knows of adapters. With
the adapters off the model is the base model: a KL term needs no second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from srpo.files import umask_modes
from srpo.recipe.schema import LoraConfig
from srpo.types import UserError
from srpo.weights import WeightSource

NAME = "default"  # of an adapter; peft allows for several
ADAPTER = "adapter"  # folder beside the merged weights, in peft's format
WITHIN = ".base_layer"  # where peft puts what it adapts


def add_adapters(model: PreTrainedModel, config: LoraConfig, seed: int) -> None:
    """Put them into a model, in float32, and freeze the rest. Raises UserError."""
    peft = import_peft()
    wanted = peft.LoraConfig(
        r=config.rank, lora_alpha=config.alpha, target_modules=config.targets, bias="none"
    )
    _check_targets(model, config.targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(wanted, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _check_targets(model: PreTrainedModel, targets: list[str] | str) -> None:
    """Linear layers alone: the output layer, and an embedding that may be tied to it, would learn
    as one thing and be published as another. Raises UserError."""
    output = model.get_output_embeddings()
    kinds = (nn.Linear, Conv1D)
    linear = [n for n, m in model.named_modules() if isinstance(m, kinds) and m is not output]
    for target in [] if isinstance(targets, str) else targets:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            known = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
            raise UserError(
                f"learner.lora.targets: {target!r} is no layer of this model that can have an"
                f" adapter; it has {known}"
            )


def import_peft() -> Any:
    """The module. Raises UserError when it is not there."""
    try:
        import peft
    except ImportError as error:
        raise UserError(
            "learner.lora: needs peft; pip install 'srpo[lora]', or leave learner.lora out"
        ) from error
    return peft


def merged(model: PreTrainedModel, version: int) -> WeightSource:
    """The weights with their adapters, each made when it is asked for."""
    plain = {n: p for n, p in model.named_parameters() if "lora_" not in n}
    shapes = {name.replace(WITHIN, ""): weight.shape for name, weight in plain.items()}
    return WeightSource(version, shapes, partial(_walk, model, plain))


@torch.no_grad()
def _walk(model: PreTrainedModel, plain: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, weight in plain.items():
        if name.endswith(f"{WITHIN}.weight"):
            layer: Any = model.get_submodule(name.removesuffix(f"{WITHIN}.weight"))
            yield name.replace(WITHIN, ""), weight.float() + layer.get_delta_weight(NAME)
        else:
            yield name.replace(WITHIN, ""), weight.detach()


@contextmanager
def switched_off(model: PreTrainedModel) -> Iterator[None]:
    """The base model, meanwhile."""
    layers: list[Any] = [m for m in model.modules() if hasattr(m, "lora_A")]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def save_adapter(model: PreTrainedModel, base: str, config: LoraConfig, folder: Path) -> None:
    """In peft's format: `PeftModel.from_pretrained(base, folder)` has them. Raises OSError and
    SafetensorError."""
    folder.mkdir(parents=True, exist_ok=True)
    peft = import_peft()
    names = sorted({n.partition(".lora_")[0] for n, _ in model.named_parameters() if "lora_" in n})
    peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules=names,
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=base,
        inference_mode=True,
    ).save_pretrained(folder)
    tensors = {
        f"base_model.model.{name.replace(f'.{NAME}', '')}": parameter.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        if "lora_" in name
    }
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    umask_modes(folder)
