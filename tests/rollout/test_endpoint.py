"""A server that answers as OpenAI's interface says, over real HTTP; it may be away for a while."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.errors import EngineError
from srpo.rollout.endpoint import Endpoint, decode, encode
from srpo.rollout.engine import Request, Sampling
from srpo.types import FinishReason, UserError

SAMPLING = Sampling(0.6, 0.95, 32, 20, ("Question:",))


class Fake(ThreadingHTTPServer):
    """Echoes the seed; `down` requests are refused before it is back."""

    def __init__(self, models: tuple[str, ...] = ("m",)) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.models, self.bodies, self.down, self.bad = models, [], 0, False
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self.answer(200, {"data": [{"id": m} for m in self.server.models]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append((self.path, body, self.headers.get("Authorization")))
            self.server.down -= 1
            down = self.server.down >= 0
        if down:
            self.answer(503, {"error": {"message": "loading"}})
        elif self.server.bad:
            self.answer(400, {"error": {"message": "max_tokens is too large"}})
        else:
            text = f"seed {body['seed']}"
            said = {"text": text} if "prompt" in body else {"message": {"content": text}}
            choice = said | {"finish_reason": "length" if body["seed"] % 2 else "stop"}
            self.answer(200, {"choices": [choice], "usage": {"completion_tokens": 7}})

    def answer(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Fake]:
    fake = Fake()
    yield fake
    fake.shutdown()
    fake.server_close()


def ask(server: Fake, prompt: Any, n: int = 2, messages: list[str] | None = None) -> list[Any]:
    engine = Endpoint(f"{server.url}/v1/", None, 4, print if messages is None else messages.append)
    engine.service.waits = (0.01,) * 20
    try:
        requests = [Request(i, encode(prompt), n, 10 * i) for i in range(3)]
        found = {r.index: rollouts for r, rollouts in engine.generate(requests, SAMPLING)}
        return [found[i] for i in range(3)]
    finally:
        engine.close()


@given(st.text())
def test_a_prompt_survives(text: str) -> None:
    for prompt in (text, [{"role": "user", "content": text}]):
        shown = json.loads(json.dumps(prompt).encode("utf-8", "backslashreplace"))
        assert decode(encode(prompt)) == shown


def test_a_text_and_a_chat_each_with_its_seed(server: Fake, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    for prompt, path in (("2+2=", "completions"), ([{"role": "user"}], "chat/completions")):
        groups = ask(server, prompt)
        texts = [[r.text for r in rollouts] for rollouts in groups]
        assert texts == [[f"seed {10 * i + k}" for k in range(2)] for i in range(3)]
        assert [r.finish_reason for r in groups[1]] == [FinishReason.STOP, FinishReason.LENGTH]
        assert {len(r.token_ids) for rollouts in groups for r in rollouts} == {7}
        asked, body, key = server.bodies[-1]
        assert asked == f"/v1/{path}"
        assert key == "Bearer secret"
        assert (body["model"], body["temperature"], body["top_p"]) == ("m", 0.6, 0.95)
        assert (body["top_k"], body["max_tokens"], body["stop"]) == (20, 32, ["Question:"])


def test_a_server_that_goes_away_is_waited_for(server: Fake) -> None:
    server.down, told = 9, []
    assert len(ask(server, "x", messages=told)) == 3
    assert "503 loading" in told[0]
    assert told[-1] == "the server is back"
    assert len(told) < 9, "it is said once each time"


def test_a_server_that_stays_away_is_one_error(server: Fake) -> None:
    server.down = 10**6
    with pytest.raises(EngineError, match=r"503 loading; what was answered is kept"):
        ask(server, "x")


def test_what_a_server_refuses_is_in_its_own_words(server: Fake) -> None:
    server.bad = True
    with pytest.raises(EngineError, match="max_tokens is too large"):
        ask(server, "x")


def test_no_server_and_several_models_are_refused() -> None:
    with pytest.raises(UserError, match="no OpenAI-compatible server that answers"):
        Endpoint("http://127.0.0.1:9", None, 1)
    two = Fake(("a", "b"))
    with pytest.raises(UserError, match=r"serves 2 models \(a, b\); name one of them as MODEL"):
        Endpoint(two.url, None, 1)
    Endpoint(two.url, "b", 1).close()
    two.shutdown()
