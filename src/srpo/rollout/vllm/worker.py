"""What srpo adds to vLLM's worker, in whatever process that runs: weights that truly change.

vLLM has a transfer of weights of its own (`WeightTransferEngineFactory`), and it is not used. Its
engine over NCCL knows no deadline, and one of ours over gloo would have to be registered in every
worker's process and be driven by four calls in place of one. Both bypass what is done here for tied
layers and experts, and then the weights are wrong without a word. `srpo.transfer` into vLLM's
`reload_weights` is one way for CPUs and GPUs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from srpo.parent import die_with_parent
from srpo.transfer import receive

WORKER_EXTENSION = f"{__name__}.FreshWeights"


class FreshWeights:
    """Methods for `collective_rpc`; vLLM mixes them into its worker (`worker_extension_cls`).

    vLLM's own `reload_weights` is not enough. On the CPU it keeps each layer's weights packed for
    the matrix product, and repacks a layer when weights are loaded into it. An output layer tied
    to the embedding gets none, so it goes on with the packed weights of before: no error, and
    log-probabilities that belong to no model. This holds for reloading from disk, too. Experts of a
    mixture are packed by a kernel that is made once, so new ones would stay unpacked.
    """

    model_runner: Any
    reload_weights: Any
    rank: int  # among the workers of this engine
    weights_label: str | None = None

    def replace_weights(
        self,
        weights: Iterable[tuple[str, Tensor]] | None = None,
        folder: str | None = None,
        label: str | None = None,
    ) -> None:
        """Load tensors by their names in the checkpoint, or a folder in Hugging Face format.
        `label` says afterwards which they are."""
        self.weights_label = None
        cpu = self.model_runner.device.type == "cpu"  # a GPU has nothing to pack
        with new_expert_kernels(self.model_runner.get_model() if cpu else nn.Module()):
            self.reload_weights(weights_iterator=weights, weights_path=folder)
        for module in tied_modules(self.model_runner.get_model()):
            module.quant_method.process_weights_after_loading(module)
        self.weights_label = label

    def receive_weights(self, address: str, first: int, receivers: int, deadline_s: float) -> int:
        """Load what is sent to `address`, of which the worker takes its part; this engine's workers
        are the receivers from `first` on. The weights' version. Raises TransferError."""
        number, device = first + self.rank, self.model_runner.device
        source = receive(address, number, receivers, deadline_s, device)
        self.replace_weights(iter(source))
        return source.version

    def tie(self, parent: int) -> None:
        """To the process that started this one. See `die_with_parent`."""
        die_with_parent(parent)

    def served(self) -> dict[str, Any]:
        """The weights' label, None for those of the start, and how this vLLM was started."""
        config = self.model_runner.model_config
        return {
            "label": self.weights_label,
            "logprobs_mode": config.logprobs_mode,
            "max_model_len": config.max_model_len,
        }


@contextmanager
def new_expert_kernels(model: nn.Module) -> Iterator[None]:
    """Weights that come in meanwhile make them anew, and are packed by them. Experts that nothing
    came for keep theirs: the freshness check will say so."""
    methods: list[Any] = [getattr(module, "quant_method", None) for module in model.modules()]
    kernels = [(m, k) for m in methods if (k := getattr(m, "moe_kernel", None)) is not None]
    for method, _ in kernels:
        method.moe_kernel = None
    yield
    for method, kernel in kernels:
        if method.moe_kernel is None:
            method.moe_kernel = kernel


def tied_modules(model: nn.Module) -> list[Any]:
    """The modules whose weight belongs to another one before them."""
    owners: set[int] = set()
    tied = []
    for module in model.modules():
        weight = module._parameters.get("weight")
        if weight is None or weight.numel() == 0:  # packed and given up: shared with nobody
            continue
        if id(weight) in owners and hasattr(module, "quant_method"):
            tied.append(module)
        owners.add(id(weight))
    return tied
