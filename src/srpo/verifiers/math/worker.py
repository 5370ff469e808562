"""The process in which sympy runs. It may be killed at any moment, and is.

Requests and replies are frames of JSON (4-byte length first) on descriptors 0 and 1:
{"gold", "answer", "digits", "limit_s"} -> {"equal": bool, "detail": str}.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
from typing import Any

from srpo.sandbox.inside.wire import read_frame, write_frame
from srpo.verifiers.math.compare import Leaves, equivalent

MEMORY_BYTES = 4 << 30


def main() -> None:
    """Answer until the other end closes."""
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whatever a library prints is no frame
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends us
    logging.disable(logging.CRITICAL)
    from srpo.verifiers.math.symbolic import SympyLeaves, warm_up

    warm_up()  # half a second or more: before the first request's clock starts

    write_frame(replies, b'{"ready": true}')
    while (body := read_frame(0)) is not None:
        request = json.loads(body)
        # Should the host vanish meanwhile, the kernel ends this process even when it is deep
        # in C code: the default action of SIGALRM, no handler.
        signal.setitimer(signal.ITIMER_REAL, 3 * request["limit_s"] + 5)
        reply = _compare(SympyLeaves(request["digits"]), request["gold"], request["answer"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(replies, json.dumps(reply).encode())


def _compare(leaves: Leaves, gold: str, answer: str) -> dict[str, Any]:
    try:
        return {"equal": equivalent(gold, answer, leaves) is True, "detail": ""}
    except MemoryError:
        return {"equal": False, "detail": "out of memory"}
    except Exception as error:
        return {"equal": False, "detail": f"{type(error).__name__}: {error}"[:200]}
