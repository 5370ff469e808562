"""A server that answers JSON with JSON: asked again while it is away."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

REQUEST_S = 3600.0  # for one answer
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # a server may be restarted meanwhile
BUSY = (500, 502, 503, 504)

T = TypeVar("T")


class UnreachableError(Exception):
    """No answer, or none yet: worth another try."""


class RefusedError(Exception):
    """The server's own words."""


class Service:
    """Where a server listens. `keys` are variables of the environment, of which the first that is
    set goes with each request; `closing` ends the waiting of all that ask."""

    def __init__(self, url: str, keys: tuple[str, ...] = ("VLLM_API_KEY",)) -> None:
        self.url = url.rstrip("/")
        self.waits: tuple[float, ...] = WAITS_S
        self.closing = Event()
        self._keys = keys

    def post(self, path: str, body: dict[str, Any], busy: tuple[int, ...] = BUSY[1:]) -> Any:
        """The answer's JSON. Raises RefusedError, and UnreachableError for the statuses `busy`."""
        return self._ask(path, json.dumps(body).encode(), busy)

    def get(self, path: str) -> Any:
        """As `post`."""
        return self._ask(path, None, BUSY[1:])

    def persist(self, action: Callable[[], T], away: Callable[[str], None] = lambda _: None) -> T:
        """What an action returns, which is tried until the server answers. Raises UnreachableError
        when there is no answer after all the waiting; `away` is told why each time."""
        for pause in (*self.waits, None):
            try:
                return action()
            except UnreachableError as error:
                away(str(error))
                if pause is None or self.closing.wait(pause):
                    raise
        raise AssertionError("unreachable")

    def _ask(self, path: str, body: bytes | None, busy: tuple[int, ...]) -> Any:
        request = urllib.request.Request(self.url + path, body, self._headers())
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = f"{path}: {error.code} {_said(error.read())}"
            if error.code in busy:
                raise UnreachableError(text) from error
            raise RefusedError(text) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error

    def _headers(self) -> dict[str, str]:
        key = next((os.environ[name] for name in self._keys if os.environ.get(name)), None)
        return {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {key}"} if key else {}
        )


def _said(body: bytes) -> str:
    """The error's message, shortened."""
    try:
        return json.loads(body)["error"]["message"][:300]
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")[:300]
