"""What a GPU has to offer, as far as a plan asks.

Memory is what torch reports in all (`get_device_properties(0).total_memory`), which is less than
the name says in GiB. FLOP/s are the tensor cores' in bfloat16 with float32 sums, dense, and bytes
per second those of the memory, both from the maker's data sheets:

    A100    A100 80GB SXM data sheet: 312 TFLOPS, 2,039 GB/s
    H100    H100 SXM data sheet: 1,979 TFLOPS with sparsity, half of it without; 3.35 TB/s
    H200    H200 SXM data sheet: the same; 4.8 TB/s
    L4      L4 data sheet: 242 TFLOPS with sparsity, half of it without; 300 GB/s
    4090    Ada GPU architecture white paper, appendix A: 165.2 TFLOPS, 1,008 GB/s
"""

from __future__ import annotations

from dataclasses import dataclass

from srpo.types import UserError


@dataclass(frozen=True)
class Gpu:
    """Bytes, bfloat16 FLOP/s, bytes/s."""

    name: str
    memory: int
    flops: float
    bandwidth: float


def _gpu(name: str, gib: float, tflops: float, gb_per_s: float) -> Gpu:
    return Gpu(name, round(gib * 2**30), tflops * 1e12, gb_per_s * 1e9)


GPUS = (
    _gpu("A100 80GB", 79.2, 312, 2039),
    _gpu("H100 80GB", 79.2, 989.5, 3350),
    _gpu("H200 141GB", 139.8, 989.5, 4800),
    _gpu("L4 24GB", 22.0, 121, 300),
    _gpu("RTX4090 24GB", 23.6, 165.2, 1008),
)


def find_gpu(name: str) -> Gpu:
    """By its name or the beginning of it, whatever the case. Raises UserError."""
    wanted = name.lower().replace(" ", "")
    for gpu in GPUS:
        if wanted and gpu.name.lower().replace(" ", "").startswith(wanted):
            return gpu
    known = ", ".join(repr(gpu.name) for gpu in GPUS)
    raise UserError(f"--gpu: {name!r} is not known here; give one of {known}")
