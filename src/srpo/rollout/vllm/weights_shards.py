"""Shards of weights for another process on this machine, through memory that both see."""

from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler

import torch.multiprocessing  # noqa: F401  teaches ForkingPickler to share tensors

from srpo.weights import Packed


def shared(packed: Packed) -> bytes:
    """For `Connection.recv`, which finds the tensor where it is: in CUDA IPC memory on a GPU, in
    shared memory on the CPU. A copy is in the bytes where that is not to be had.

    The process at the other end needs this one's `authkey`.
    """
    try:
        return bytes(ForkingPickler.dumps(packed))
    except (RuntimeError, OSError):  # no room left, or a GPU that cannot
        return copied(packed)


def copied(packed: Packed) -> bytes:
    """As `shared`, with the tensor's data in the bytes: slower, and works everywhere."""
    return pickle.dumps(packed._replace(flat=packed.flat.cpu()))
