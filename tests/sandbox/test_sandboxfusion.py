"""The client of a sandbox service, against a real HTTP service that runs what it is sent."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from srpo.domains import find_domain
from srpo.errors import SandboxError
from srpo.recipe.schema import VerifierConfig
from srpo.sandbox.base import Call, Limits, Program, TestCode
from srpo.sandbox.mechanisms import open_sandbox
from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.pool import VerifierPool

Answer = dict[str, Any]


def run_code(request: dict[str, Any]) -> Answer:
    """What SandboxFusion does with Python: runs it as a script, says how it ended."""
    command = [sys.executable, "-I", "-"]
    try:
        done = subprocess.run(
            command,
            input=request["code"],
            capture_output=True,
            text=True,
            timeout=request["run_timeout"],
        )
    except subprocess.TimeoutExpired:
        return {"status": "Failed", "run_result": {"status": "TimeLimitExceeded"}}
    run = {
        "status": "Finished",
        "return_code": done.returncode,
        "stdout": done.stdout,
        "stderr": done.stderr,
    }
    return {"status": "Failed" if done.returncode else "Success", "run_result": run}


class Service:
    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer | int] = run_code
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = service.answer(body)
                code, answer = (answer, {}) if isinstance(answer, int) else (200, answer)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


CHECK = TestCode(("def check(candidate):\n    assert candidate([1, 2]) == (2, 1)",))
ASSERTS = TestCode(("assert f(2) == 4", "assert g(3) == {3}"))


@pytest.mark.parametrize(
    ("program", "status", "values", "words"),
    [
        (Program("def f(x): return 2 * x", "f", (Call((1,)), Call((2,)))), "ok", (2, 4), ""),
        (Program("def f(x): return 1 // x", "f", (Call((1,)), Call((0,)))), "exception", (1,), "Z"),
        (Program("def f(x):\n  while 1: pass", "f", (Call((1,)),)), "timeout", (), "timed out"),
        (Program("import os\nos._exit(0)", "f", (Call((1,)),)), "exception", (), "exited early"),
        (Program("print(input()[::-1])", stdin="abc"), "ok", (), ""),
        (Program("def f(a): return tuple(a[::-1])", "f", tests=CHECK), "ok", (), ""),
        (Program("def f(a): return a[::-1]", "f", tests=CHECK), "failed", (), "assert candidate"),
        (Program("def f(x): return 2 * x\ndef g(x): return {x}", tests=ASSERTS), "ok", (), ""),
        (Program("def f(x): return 2 * x\ng = f", tests=ASSERTS), "failed", (), "test 1"),
    ],
)
def test_programs(service: Service, program: Program, status: str, values: tuple, words: str):
    result = open_sandbox("sandboxfusion", 1, service.url).run(program, Limits(time_s=1.0))
    assert (result.status, result.values) == (status, values), result
    assert words in result.detail
    assert result.stdout == ("cba\n" if program.stdin else "")


def test_the_program_cannot_reach_its_tests(service: Service):
    """Through /proc, where other processes of the same user lie open without more walls."""
    code = (
        "import os\n"
        "def f(a):\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        if int(pid) == os.getpid(): continue\n"
        "        for name in ('mem', 'fd/3', 'fd/1', 'environ'):\n"
        "            try: open(f'/proc/{pid}/{name}', 'rb').close()\n"
        "            except OSError: continue\n"
        "            parent = open(f'/proc/{pid}/stat').read().split()[3]\n"
        "            if os.getppid() in (int(pid), int(parent)): return (2, 1)\n"
        "    raise ValueError('nothing')\n"
    )
    box = open_sandbox("sandboxfusion", 1, service.url)
    result = box.run(Program(code, "f", tests=CHECK), Limits())
    assert result.status == "failed", "it opened its server's or a sibling's memory"
    assert "nothing" in result.detail


def test_a_deep_value_is_the_programs_doing(service: Service):
    code = "import sys\nsys.setrecursionlimit(10**5)\ndef f(n):\n    a = []\n"
    code += "    for _ in range(n): a = [a]\n    return a"
    box = open_sandbox("sandboxfusion", 1, service.url)
    for depth in (500, 960, 990):
        result = box.run(Program(code, "f", (Call((depth,)),)), Limits())
        assert result.status in ("ok", "exception"), result


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (503, "HTTP Error 503"),
        ({"status": "SandboxError", "message": "no worker"}, "no worker"),
        ({"status": "Success", "run_result": {"stdout": "hello"}}, "gave no result"),
        ({"status": "Failed", "run_result": {"status": "TimeLimitExceeded"}}, "TimeLimitExc"),
        ({"status": "Success", "run_result": None}, "gave no result"),
    ],
)
def test_its_failures_are_ours(service: Service, answer: Any, words: str):
    service.answer = lambda request: answer
    box = open_sandbox("sandboxfusion", 1, service.url)
    with pytest.raises(SandboxError, match=words):
        box.run(Program("print(1)"), Limits())


def test_nobody_listens():
    box = open_sandbox("sandboxfusion", 1, "http://127.0.0.1:9")
    with pytest.raises(SandboxError, match="failed"):
        box.run(Program("print(1)"), Limits())


def test_a_failure_is_retried_and_never_a_zero(service: Service):
    tests = {"type": "asserts", "asserts": ["assert f(2) == 4"]}
    problem = Problem("p", "code", "Double.", tests=tests)
    right = "```python\ndef f(x): return 2 * x\n```"
    failures = iter([503, {"status": "SandboxError"}])
    service.answer = lambda request: next(failures, None) or run_code(request)
    config = VerifierConfig(sandbox="sandboxfusion", workers=1, sandbox_url=service.url)
    with VerifierPool(config, [find_domain("code")], backoff_s=0.01) as pool:
        assert pool.verify(problem, right).outcome is Outcome.CORRECT
        service.answer = lambda request: 500
        verdict = pool.verify(problem, right.replace("2", "3"))
        assert verdict.outcome is Outcome.ERROR


@pytest.mark.parametrize("url", [None, "", "sandbox:8080"])
def test_a_bad_address_is_named(url: str | None):
    with pytest.raises(UserError, match=r"verifier\.sandbox_url is .*: give the service's address"):
        open_sandbox("sandboxfusion", 1, url)
