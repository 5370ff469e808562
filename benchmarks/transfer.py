"""Three ways of new weights to engines in other processes of this machine, side by side.

    python benchmarks/transfer.py [--megabytes 1024] [--receivers 1,2] [--repeats 3]

`transfer`: `srpo.transfer`, over gloo. `folder`: written as safetensors, read by each. `pipes`:
shards in shared memory, told of through a pipe, to one receiver after the other. A receiver copies
each tensor into a model of its own, as an engine does; the clock stops when the last is done. The
weights are bfloat16, in layers of nine tensors with an embedding before them, and are cut in shards
as a run cuts them. The three take turns. `fresh`: a transfer of one number, which is what the
store, the groups and the last word cost. MB/s count what all receivers got.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Process, current_process, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors import safe_open
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from timed_train import machine

from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.rollout.vllm.weights_shards import shared
from srpo.transfer import free_address, receive, send
from srpo.weights import Packed, WeightSource, shards

WAYS = ("transfer", "folder", "pipes")
WIDTH, ROWS = 1024, 50_000


def model(megabytes: float) -> dict[str, Tensor]:
    tensors = {"embed": torch.randn(ROWS, WIDTH).bfloat16()}
    shapes = [(WIDTH, WIDTH)] * 4 + [(4 * WIDTH, WIDTH)] * 3 + [(WIDTH,)] * 2
    layers = (megabytes * 2**20 - tensors["embed"].nbytes) / sum(
        2 * torch.Size(s).numel() for s in shapes
    )
    for layer in range(round(layers)):
        for i, shape in enumerate(shapes):
            tensors[f"layers.{layer}.{i}"] = torch.randn(shape).bfloat16()
    return tensors


def engine(connection: Connection, megabytes: float, authkey: bytes) -> None:
    """A receiver: it is told the way, and answers when it has everything."""
    current_process().authkey = authkey
    torch.set_num_threads(1)
    own = model(megabytes) | {"one": torch.zeros(1)}
    while told := connection.recv():
        way, *arguments = told
        last = torch.zeros(1)
        for name, tensor in WAY_IN[way](connection, *arguments):
            last = own[name].copy_(tensor)
        connection.send(float(last.flatten()[-1]))


def from_transfer(_: Connection, address: str, number: int, of: int) -> Any:
    return receive(address, number, of, 60.0)


def from_folder(_: Connection, folder: str) -> Iterator[tuple[str, Tensor]]:
    for file in sorted(Path(folder).glob("*.safetensors")):
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118  it is no mapping
                yield name, opened.get_tensor(name)


def from_pipe(connection: Connection) -> Iterator[tuple[str, Tensor]]:
    while packed := connection.recv():
        yield from packed.tensors()
        connection.send(None)


WAY_IN = {"transfer": from_transfer, "folder": from_folder, "pipes": from_pipe}


def deliver(way: str, source: WeightSource, engines: list[Connection], folder: Path) -> float:
    """Seconds until every engine has the weights."""
    start = time.perf_counter()
    if way == "transfer":
        address = free_address()
        for number, connection in enumerate(engines):
            connection.send((way, address, number, len(engines)))
        send(source, address, len(engines), 60.0)
    elif way == "folder":
        written = WeightsFolder(folder, "bfloat16").write(source)
        for connection in engines:
            connection.send((way, str(written)))
    else:
        for connection in engines:
            connection.send((way,))
            for shard in shards(source, torch.bfloat16):
                connection.send_bytes(shared(Packed.of(shard)))
                connection.recv()
            connection.send(None)
    *_, (_, last) = source
    assert {connection.recv() for connection in engines} == {float(last.flatten()[-1])}
    return time.perf_counter() - start


def main(
    megabytes: Annotated[float, typer.Option(help="Of the made-up model.")] = 1024,
    receivers: Annotated[str, typer.Option(help="How many, each in turn.")] = "1,2",
    repeats: Annotated[int, typer.Option(help="Of every way, after one that warms up.")] = 3,
) -> None:
    torch.set_num_threads(1)
    counts = [int(part) for part in receivers.split(",")]
    connections, processes = [], []
    for _ in range(max(counts)):
        ours, theirs = get_context("fork").Pipe()
        process = Process(target=engine, args=(theirs, megabytes, current_process().authkey))
        process.start()
        connections.append(ours)
        processes.append(process)
    sent = model(megabytes)
    total, single = sum(t.nbytes for t in sent.values()) / 1e6, {"one": torch.zeros(1)}
    print(f"{machine()}; {total:,.0f} MB in {len(sent)} tensors")
    print("| receivers | " + " | ".join(f"{w}, s (MB/s)" for w in WAYS), end=" | ")
    print("folder / transfer | pipes / transfer | fresh, ms |\n" + "|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            took: dict[str, list[float]] = {way: [] for way in (*WAYS, "fresh")}
            for version in range(repeats + 1):
                source = WeightSource.of(version, sent.items())
                one = WeightSource.of(version, single.items())
                for way in WAYS:
                    path = Path(folder, "weights")
                    took[way].append(deliver(way, source, connections[:count], path))
                took["fresh"].append(deliver("transfer", one, connections[:count], Path(folder)))
            median = {way: statistics.median(seconds[1:]) for way, seconds in took.items()}
            cells = [f"{median[way]:.2f} ({count * total / median[way]:,.0f})" for way in WAYS]
            ratios = [f"{median[way] / median['transfer']:.2f}" for way in WAYS[1:]]
            print(
                "| "
                + " | ".join([str(count), *cells, *ratios, f"{1000 * median['fresh']:.0f}"])
                + " |"
            )
    for connection, process in zip(connections, processes, strict=True):
        connection.send(None)
        process.join()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(main)
