"""AdamW, with its moments beside the weights or in host memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from srpo.recipe.schema import LearnerConfig


def open_optimizer(model: nn.Module, config: LearnerConfig) -> torch.optim.AdamW:
    """Of the weights that learn. On a GPU torch's default makes a copy of all of them during the
    update; fused, none."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    fused = (parameters[0].device.type == "cuda" and not config.offload) or None
    kind = HostAdamW if config.offload else torch.optim.AdamW
    return kind(
        parameters,
        config.lr,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=fused,
    )


class HostAdamW(torch.optim.AdamW):
    """AdamW whose moments are in host memory; on the device are those of one weight at a time, for
    its update."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every weight that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, self._moments(weight), group)

    def _moments(self, weight: Tensor) -> dict[str, Tensor]:
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            for kind in ("exp_avg", "exp_avg_sq"):
                state[kind] = torch.zeros(weight.shape, dtype=weight.dtype)
        return state

    def _update(self, weight: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        there = [state[kind].to(weight.device) for kind in ("exp_avg", "exp_avg_sq")]
        adamw(
            [weight],
            [weight.grad],  # pyright: ignore[reportArgumentType]
            [there[0]],
            [there[1]],
            [],
            [state["step"]],
            foreach=False,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        for kind, moment in zip(("exp_avg", "exp_avg_sq"), there, strict=True):
            state[kind].copy_(moment)
