"""The process that `process.py` starts: one VllmEngine, which does as it is told.

A message in is (method, *arguments). The answer is ("done", None), or ("refused", text) for an
error that the user mends, or ("failed", text), and then this process is of no more use.

`generate` answers ("group", (index, rollouts)) for each group before that. ("stop",) ends it early
and has no answer of its own. `load_weights` answers ("more", True) each time that it wants a shard,
and gets a Packed, or None after the last.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import current_process
from multiprocessing.connection import Connection
from typing import Any

from torch import Tensor

from srpo.errors import in_one_line
from srpo.parent import die_with_parent
from srpo.rollout.vllm.engine import VllmEngine
from srpo.types import UserError
from srpo.weights import Packed, WeightSource


def serve(connection: Connection) -> None:
    """Until the other side is gone, which shows as EOFError or another OSError."""
    engine: Any = None
    while True:
        method, *arguments = connection.recv()
        try:
            if method == "start":
                engine = VllmEngine(*arguments)
                engine.tie_workers()
            elif method == "generate":
                _generate(engine, connection, *arguments)
            elif method == "load_weights":
                version, metadata = arguments
                walk = partial(_weights, connection)
                engine.load_weights(WeightSource(version, metadata, walk))
            elif method == "stop":  # came after the last group
                continue
            else:
                getattr(engine, method)(*arguments)
        except (EOFError, ConnectionError):
            raise
        except UserError as error:
            connection.send(("refused", str(error)))
        except Exception as error:
            connection.send(("failed", in_one_line(error)))
        else:
            connection.send(("done", None))


def _generate(engine: VllmEngine, connection: Connection, *arguments: Any) -> None:
    for request, rollouts in engine.generate(*arguments):
        connection.send(("group", (request.index, rollouts)))
        if connection.poll():
            connection.recv()  # "stop": nothing else is sent meanwhile
            return


def _weights(connection: Connection) -> Iterator[tuple[str, Tensor]]:
    while True:
        connection.send(("more", True))
        packed: Packed | None = connection.recv()
        if packed is None:
            return
        yield from packed.tensors()
        del packed  # before there is another one


def main(descriptor: int, parent: int) -> None:
    die_with_parent(parent)
    # Ctrl-C goes to the whole terminal; the learner decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        connection = Connection(descriptor)
        current_process().authkey = connection.recv_bytes()
        serve(connection)
    except (EOFError, ConnectionError):
        os._exit(0)  # at once: there is nothing to save


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
