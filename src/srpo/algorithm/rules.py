"""One rule, one file: how the rule of a kind is found."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def find_rule(package: str, kind: str, what: str) -> Any:
    """The class of a kind: in losses, `token-mean` is `TokenMeanLoss` of token_mean.py."""
    module = import_module(f"{package}.{kind.replace('-', '_')}")
    return getattr(module, kind.title().replace("-", "") + what)
