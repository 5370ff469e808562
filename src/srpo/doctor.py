"""`srpo doctor`: what this machine has, and what each lack means for training."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from srpo.types import SRPOError

State = Literal["ok", "note", "lack"]
MARKS: dict[State, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "note": ("-", "yellow"),
    "lack": ("✗", "bold red"),
}
GIB = 1024**3


@dataclass(frozen=True)
class Finding:
    """One row: what was looked for, what is there, and what that means.

    state   "ok"; "note": training runs, with the restriction that `meaning` names; "lack": the
            two stages cannot be trained
    """

    name: str
    state: State
    found: str
    meaning: str = ""


def examine(python: str | None = None) -> list[Finding]:
    """Look at everything. Imports torch, and tries to get out of the sandbox: about a second.

    python   as in the recipe's `verifier.python`

    Raises UserError where there is no such Python.
    """
    return [
        _python(),
        *_torch(),
        _package("transformers", "needed", "models cannot be loaded", "lack"),
        _vllm(),
        _cores(),
        _memory(),
        _disk(),
        sandbox_finding(),
        programs_finding(python),
        *(_tracker(name) for name in ("tensorboard", "wandb", "trackio")),
    ]


def can_train(findings: list[Finding]) -> bool:
    """Whether nothing is lacking that the two stages need."""
    return all(f.state != "lack" for f in findings)


def findings_table(findings: list[Finding]) -> Table:
    """The findings as a person reads them, one a row."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for name in ("", "what", "found", "meaning"):
        table.add_column(name, overflow="fold", max_width=32 if name == "found" else None)
    for f in findings:
        mark, style = MARKS[f.state]
        table.add_row(Text(mark, style), Text(f.name), Text(f.found), Text(f.meaning, "dim"))
    return table


def sandbox_finding() -> Finding:
    """Prove the containment: an honest program has to work, every attempt to get out to fail."""
    from srpo.sandbox.mechanisms import FIXES, REAL, available, open_sandbox
    from srpo.sandbox.proof import prove

    remedy = f"no code can be trained. {FIXES}. curriculum.kind math-only needs none"
    try:
        opened = open_sandbox("auto", workers=1)
    except SRPOError:
        reasons = available()
        found = "; ".join(f"{name}: {reasons[name]}" for name in REAL)
        return Finding("sandbox", "lack", found, remedy)
    try:
        rows = prove(opened)
    except SRPOError as error:
        return Finding("sandbox", "lack", f"{opened.mechanism}: {error}", remedy)
    finally:
        opened.close()
    escaped = [f"{row.name} ({row.detail})" for row in rows if not row.kept]
    if escaped:
        found = f"{opened.mechanism}: not kept in: {'; '.join(escaped)}"
        return Finding("sandbox", "lack", found, remedy)
    found = f"{opened.mechanism}: kept in {len(rows)} of {len(rows)} attempts"
    meaning = "; ".join(f"{what} by {how}" for what, how in opened.bounds.items())
    if opened.mechanism != "sandlock":
        meaning += f"; sandlock: {available()['sandlock']}"
    return Finding("sandbox", "ok", found, meaning)


def programs_finding(python: str | None) -> Finding:
    """What programs can import, by `verifier.python`."""
    from srpo.sandbox.interpreter import find_interpreter

    means = "" if python else "verifier.python: a Python whose packages they may import besides"
    return Finding("programs", "ok", find_interpreter(python).describe(), means)


def _python() -> Finding:
    return Finding("python", "ok", platform.python_version())  # an older one cannot install srpo


def _torch() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        why = "nothing can be trained: pip install torch"
        return [Finding("torch", "lack", f"cannot be imported ({error})", why)]
    found = [Finding("torch", "ok", torch.__version__)]
    if not torch.cuda.is_available():
        means = "nano and models up to some hundred million parameters; larger ones need a GPU"
        return [*found, Finding("device", "note", "cpu, no GPU", means)]
    for i in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(i)
        text = f"cuda:{i} {gpu.name}, {gpu.total_memory / GIB:.0f} GiB"
        found.append(Finding("device", "ok" if i == 0 else "note", text, _second_gpu(i)))
    return found


def _second_gpu(index: int) -> str:
    return "one process trains on one GPU: this one stays idle" if index else ""


def _package(name: str, need: str, meaning: str, missing: State = "note") -> Finding:
    """By its metadata alone: importing some of these takes long or claims a GPU."""
    version = _version(name)
    if version is None:
        return Finding(name, missing, "not installed", f"{need}: {meaning}")
    return Finding(name, "ok", version)


def _vllm() -> Finding:
    """Importing it would take ten seconds and may claim the GPU: metadata, and what fits here."""
    import torch

    from srpo.rollout.vllm.install import install_recipe, installed_vllm, misfit

    found = installed_vllm()
    if found is None:
        meaning = f"rollouts by transformers, slower on a GPU; {install_recipe()}"
        return Finding("vllm", "note", "not installed", meaning)
    why = misfit(found, torch.cuda.is_available())
    return Finding("vllm", "note" if why else "ok", found, why)


def _tracker(name: str) -> Finding:
    version = _version(name)
    if version is None:
        meaning = f"to use it: pip install 'srpo[{name}]'"
        return Finding(name, "note", "not installed", meaning)
    return Finding(name, "ok", version)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cores() -> Finding:
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_cpus()
    if quota is not None and quota < here:
        return Finding("cores", "ok", f"{quota:g} (of {here}, limited by the container)")
    alone = "decoding and verifying take turns" if here == 1 else ""
    return Finding("cores", "ok", str(here), alone)


def _cgroup_cpus() -> float | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _memory() -> Finding:
    """Total memory, or the container's limit where that is lower."""
    import torch

    from srpo.models import device_memory

    total = device_memory(torch.device("cpu"))
    if total is None:
        return Finding("memory", "note", "unknown")
    small = "nano fits; larger models may not" if total < 4 * GIB else ""
    return Finding("memory", "note" if small else "ok", f"{total / GIB:.1f} GiB", small)


def _disk() -> Finding:
    free = shutil.disk_usage(".").free
    low = "checkpoints hold the weights and both moments" if free < 2 * GIB else ""
    return Finding("disk", "note" if low else "ok", f"{free / GIB:.1f} GiB free here", low)
