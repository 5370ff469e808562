"""The process that `processes.py` starts: one LearnerRank, which does as it is told.

A message in is (method, arguments). The answer is ("done", value) or ("raised", error).
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import current_process
from multiprocessing.connection import Connection

from srpo.errors import SRPOError, TrainingError, in_one_line
from srpo.learner.sharded.rank import LearnerRank
from srpo.parent import die_with_parent


def serve(connection: Connection) -> None:
    """Until the other side is gone, which shows as EOFError or another OSError."""
    rank = LearnerRank()
    while True:
        method, arguments = connection.recv()
        try:
            answer = ("done", getattr(rank, method)(*arguments))
        except (SRPOError, OSError) as error:
            answer = ("raised", error)
        except Exception as error:
            answer = ("raised", TrainingError(in_one_line(error)))
        connection.send(answer)


def main(descriptor: int, parent: int) -> None:
    die_with_parent(parent)
    # Ctrl-C goes to the whole terminal; the driver decides what it means.
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
