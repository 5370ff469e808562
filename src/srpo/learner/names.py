"""Weights by the names of a model's files, where transformers has others for them in memory.

It keeps the experts of a mixture fused, as one tensor a layer; files, and vLLM, have one for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import groupby

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion

from srpo.weights import NamedTensors, WeightSource

LAYER = re.compile(r".*?\.\d+\.")


def with_file_names(model: PreTrainedModel, source: WeightSource) -> WeightSource:
    """The source; `in_files` of it has the names of the files."""
    empty = [(name, torch.empty(s, device="meta")) for name, s in source.metadata.items()]
    shapes = {name: tensor.shape for name, tensor in _converted(model, empty)}
    if shapes.keys() == source.metadata.keys():
        return source
    walk = partial(_converted, model, source)
    saved = WeightSource(source.version, shapes, walk)
    return WeightSource(source.version, source.metadata, source.walk, saved)


def _converted(model: PreTrainedModel, weights: NamedTensors) -> Iterator[tuple[str, Tensor]]:
    """One layer after the other, so that only one is held twice."""
    for _, layer in groupby(weights, lambda pair: layer_of(pair[0])):
        yield from revert_weight_conversion(model, dict(layer)).items()


def layer_of(name: str) -> str:
    """Of a weight: its name as far as the layer's number; all of it outside of layers."""
    found = LAYER.match(name)
    return found.group() if found else name
