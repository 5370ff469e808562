"""Weights from one process to engines in others, on one machine or over a network.

The sender, who holds them, listens at an address (host:port). Receivers have numbers, from 0; each
says there that it has come. Then all are told names and shapes, and the tensors follow in shards:
at most one is in memory at either end, never the model.

Sender and receiver are a torch process group of two, over gloo; over NCCL where both have a GPU
(`_Pair`; not run yet). Two, since in a larger group one that dies or sleeps takes the others along.
So whoever is lost is lost alone: the others get everything, and then TransferError names it. The
price is that the sender sends once for every receiver. The groups are made for one transfer, from a
store of their own, and touch no other group of the process: one that is kept would have to survive
the hours between two transfers, and to make new ones takes milliseconds (benchmarks/transfer.py).

Whoever can reach the port can send weights: for networks that are trusted, as torch's own are.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Size, Tensor
from torch._C._distributed_c10d import PrefixStore, Store, TCPStore
from torch.distributed import ProcessGroupGloo

from srpo.errors import TransferError, in_one_line
from srpo.weights import SHARD_BYTES, NamedTensors, Packed, WeightSource, shards

CPU = torch.device("cpu")
SENDER, RECEIVER = 0, 1  # ranks in a group of two
LOOK_S = 0.01  # how often the store is asked
# A receiver waits longer than the sender does, which may be waiting for another one.
PATIENCE = 2.0


def free_address(host: str = "127.0.0.1") -> str:
    """An address of this machine where nobody listens now."""
    with socket.socket() as one:
        one.bind(("", 0))
        return f"{host}:{one.getsockname()[1]}"


def send(
    source: WeightSource,
    address: str,
    receivers: int,
    deadline_s: float,
    dtype: torch.dtype | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Send all weights to `receivers` others, each of which calls `receive`.

    The source is walked to its end whatever happens: the ranks of a sharded learner walk along. One
    that has a `send` of its own sends itself.

    Args:
        address: host:port of this machine, as the receivers know it.
        deadline_s: the longest wait for a receiver: to come, and to take a shard.
        dtype: what is sent; None is the first tensor's.
        shard_bytes: a shard ends with the tensor that makes it so large.

    Raises TransferError, after all others have everything, that names the receivers who have not.
    """
    if source.send:
        source.send(address, receivers, deadline_s)
        return
    walk = iter(source)
    try:
        first = next(walk)
        sender = _Sender(address, receivers, deadline_s)
        header: dict[str, Any] = {
            "version": source.version,
            "tensors": [[name, list(shape)] for name, shape in source.metadata.items()],
            "dtype": str(dtype or first[1].dtype).removeprefix("torch."),
            "shard_bytes": shard_bytes,
            "cuda": first[1].is_cuda,
        }
        sender.begin(header)
        for shard in shards(chain([first], walk), getattr(torch, header["dtype"]), shard_bytes):
            sender.send(Packed.of(shard).flat)
        sender.end()
    finally:
        for _ in walk:
            pass


def receive(
    address: str, number: int, receivers: int, deadline_s: float, device: torch.device = CPU
) -> WeightSource:
    """The weights that somebody sends at `address`; it may begin to listen later. They come while
    the source is walked, which can be done once; a tensor may be kept, but keeps its shard.

    Args:
        number: of this receiver, below `receivers`.
        deadline_s: the sender's. The waits here are twice as long, since it may wait for others.
        device: where the tensors shall be.

    Raises TransferError, also while it is walked.
    """
    assert 0 <= number < receivers, f"receiver {number} of {receivers}"
    patience = PATIENCE * deadline_s
    try:
        store = _open_store(address, serves=False, wait_s=patience)
        store.set(f"here/{number}", device.type)
        if _absent(store, ["header"], patience):
            raise TransferError(f"no weights came from {address} within {patience:g} s")
        header = json.loads(store.get("header"))
        nccl = header["cuda"] and device.type == "cuda"
        pair = _Pair(store, address, number, RECEIVER, nccl, patience)
    except RuntimeError as error:
        raise _sender_lost(address, error) from error
    metadata = {name: Size(shape) for name, shape in header["tensors"]}
    walk = partial(_walk, store, pair, header, address, number, device, [False])
    return WeightSource(header["version"], metadata, walk)


def _walk(
    store: Store,
    pair: _Pair,
    header: dict[str, Any],
    address: str,
    number: int,
    device: torch.device,
    walked: list[bool],
) -> NamedTensors:
    assert not walked[0], "what was received is gone: it can be walked once"
    walked[0] = True
    dtype = getattr(torch, header["dtype"])
    # The sender's cut, by tensors without memory.
    like = ((name, torch.empty(shape, device="meta")) for name, shape in header["tensors"])
    plan = list(shards(like, dtype, header["shard_bytes"]))
    for i, shard in enumerate(plan, 1):
        names, shapes = [name for name, _ in shard], [tensor.shape for _, tensor in shard]
        flat = torch.empty(sum(map(Size.numel, shapes)), dtype=dtype, device=device)
        try:
            pair.receive(flat)
            if i == len(plan):
                store.set(f"done/{number}", "")
        except RuntimeError as error:
            raise _sender_lost(address, error) from error
        yield from Packed(names, shapes, flat).tensors()
        del flat  # before there is another one


class _Sender:
    """The store, and a pair for every receiver that has not been lost."""

    def __init__(self, address: str, receivers: int, deadline_s: float):
        self.address, self.deadline_s, self.receivers = address, deadline_s, receivers
        self.pairs: dict[int, _Pair] = {}
        self.lost: dict[int, str] = {}
        try:
            self.store = _open_store(address, serves=True, wait_s=deadline_s)
        except RuntimeError as error:
            raise TransferError(f"cannot listen at {address}: {in_one_line(error)}") from error

    def begin(self, header: dict[str, Any]) -> None:
        """Wait for the receivers, and tell them what will come."""
        self._note_absent("here", range(self.receivers))
        self.store.set("header", json.dumps(header))
        until = time.monotonic() + self.deadline_s
        for number in set(range(self.receivers)) - self.lost.keys():
            try:
                nccl = header["cuda"] and self.store.get(f"here/{number}") == b"cuda"
                left = until - time.monotonic()
                self.pairs[number] = _Pair(self.store, self.address, number, SENDER, nccl, left)
            except RuntimeError:
                self.lose(number, until)
        self._some_left()

    def send(self, flat: Tensor) -> None:
        """One shard to all, side by side."""
        until, works = time.monotonic() + self.deadline_s, {}
        for number, pair in list(self.pairs.items()):
            try:
                works[number] = pair.send(flat)
            except RuntimeError:
                self.lose(number, until)
        for number, work in works.items():
            try:
                self.pairs[number].finish(work, until)
            except RuntimeError:
                self.lose(number, until)
        self._some_left()

    def end(self) -> None:
        """Wait until all have everything. Raises TransferError for those that have not."""
        self._note_absent("done", list(self.pairs))
        if self.lost:
            raise self._error()

    def lose(self, number: int, until: float) -> None:
        self.pairs.pop(number, None)
        late = time.monotonic() >= until - LOOK_S
        self.lost[number] = f"did not answer within {self.deadline_s:g} s" if late else "has died"

    def _note_absent(self, word: str, numbers: Iterable[int]) -> None:
        keys = {f"{word}/{number}": number for number in numbers}
        until = time.monotonic() + self.deadline_s
        for key in _absent(self.store, list(keys), self.deadline_s):
            self.lose(keys[key], until)

    def _some_left(self) -> None:
        if not self.pairs:
            raise self._error()

    def _error(self) -> TransferError:
        who = "; ".join(f"receiver {n} {why}" for n, why in sorted(self.lost.items()))
        of = f"{len(self.lost)} of {self.receivers} receivers did not get the new weights"
        return TransferError(f"{of}: {who}", tuple(sorted(self.lost)))


class _Pair:
    """One end of a group of two. A wait that fails raises RuntimeError, and the pair is of no more
    use. All that is for GPUs alone is in this class, and has not run."""

    def __init__(
        self, store: Store, address: str, number: int, rank: int, nccl: bool, wait_s: float
    ):
        self.nccl, self.wait_s = nccl, wait_s
        store, other = PrefixStore(f"pair/{number}", store), 1 - rank
        self.other = other
        if nccl:
            from torch.distributed import ProcessGroupNCCL

            options = ProcessGroupNCCL.Options()
            options._timeout = _seconds(10 * wait_s)  # ours come first: NCCL's end the process
            self.group: Any = ProcessGroupNCCL(store, rank, 2, options)
        else:
            options = ProcessGroupGloo._Options()  # pyright: ignore[reportAttributeAccessIssue]
            options._timeout = _seconds(wait_s)
            # Not the interface that this machine's own name happens to stand for.
            options._devices = [ProcessGroupGloo.create_device(hostname=_own_host(address))]
            self.group = ProcessGroupGloo(store, rank, 2, options)

    def send(self, flat: Tensor) -> Any:
        """The work, for `finish`; `flat` must not change meanwhile."""
        data = flat.view(torch.uint8)
        return self.group.send([data if self.nccl else data.cpu()], self.other, 0)

    def receive(self, flat: Tensor) -> None:
        """Fill it."""
        data = flat.view(torch.uint8)
        here = data if self.nccl else data.cpu()  # the same, on the CPU
        self.finish(self.group.recv([here], self.other, 0), time.monotonic() + self.wait_s)
        if here is not data:
            data.copy_(here)

    def finish(self, work: Any, until: float) -> None:
        """Wait until a time of the monotonic clock."""
        if not self.nccl:
            work.wait(_seconds(until - time.monotonic()))
            return
        while not work.is_completed():
            if time.monotonic() > until:
                self.group.abort()
                raise RuntimeError("NCCL: timed out")
            time.sleep(LOOK_S)


def _open_store(address: str, serves: bool, wait_s: float) -> TCPStore:
    host, _, port = address.rpartition(":")
    return TCPStore(host, int(port), None, serves, _seconds(wait_s), wait_for_workers=False)


def _own_host(address: str) -> str:
    """This machine's address on the way to that one; nothing is sent."""
    host, _, port = address.rpartition(":")
    family, kind, _, _, there = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as one:
        one.connect(there)
        return one.getsockname()[0]


def _absent(store: Store, keys: list[str], seconds: float) -> list[str]:
    """Those of the keys that nobody has set by then."""
    until = time.monotonic() + seconds
    while keys := [key for key in keys if not store.check([key])]:
        if time.monotonic() > until:
            break
        time.sleep(LOOK_S)
    return keys


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=max(seconds, LOOK_S))  # none at all would be no limit


def _sender_lost(address: str, error: RuntimeError) -> TransferError:
    if isinstance(error, TransferError):
        return error
    return TransferError(f"the weights from {address} broke off: {in_one_line(error, 200)}")
