"""The proof of containment: it holds where there are walls, and notices where there are none."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import pytest

from srpo import doctor
from srpo.errors import SandboxError
from srpo.sandbox.base import ExecutionResult, Limits, Program
from srpo.sandbox.mechanisms import open_sandbox
from srpo.sandbox.proof import ATTEMPTS, KEPT, OUT, Bait, program, prove
from walls import REAL, opened

LIMIT_ATTEMPTS = {name for name, attempt in ATTEMPTS.items() if attempt.bare}


@pytest.mark.parametrize("mechanism", REAL)
def test_walls_keep_every_attempt_in(mechanism: str) -> None:
    start = time.monotonic()
    with opened(mechanism, 1) as box:
        rows = prove(box)
    assert [row.name for row in rows] == list(ATTEMPTS)
    assert [row for row in rows if not row.kept] == []
    assert time.monotonic() - start < 5


def test_attempts_do_get_out_where_nothing_holds_them() -> None:
    """Each of them, so that a kept one means something. The limits hold without walls."""
    with open_sandbox("unsafe-subprocess", 1) as box:  # type: ignore[attr-defined]
        rows = prove(box)
    out = {row.name for row in rows if not row.kept}
    # On Yama, in the kernel; on a control group, which unconfined servers are in as well.
    depends = {"trace its parent", "read its parent's memory", "start 200 threads"}
    assert set(ATTEMPTS) - LIMIT_ATTEMPTS - depends <= out
    assert not out & LIMIT_ATTEMPTS
    assert all(OUT in row.detail for row in rows if row.name in out)


class Answers:
    """A sandbox that gives every attempt the same result."""

    mechanism = "answers"

    def __init__(self, result: ExecutionResult, control: tuple[object, ...] = (42,)) -> None:
        self._result, self._control = result, control
        self.bounds: dict[str, str] = {}

    def run(self, program: Program, limits: Limits, *_: Any, **__: Any) -> ExecutionResult:
        if program.entry_point:
            return ExecutionResult("ok", values=self._control)
        return self._result

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "result",
    [
        ExecutionResult("ok"),
        ExecutionResult("ok", stdout=OUT),
        ExecutionResult("ok", stdout=f"{KEPT}\n{OUT}\n"),
        ExecutionResult("exception", detail="SyntaxError"),
        ExecutionResult("killed"),
    ],
)
def test_what_proves_nothing_is_not_kept(result: ExecutionResult) -> None:
    assert not any(row.kept for row in prove(Answers(result)))


def test_a_dead_sandbox_keeps_everything_in_and_proves_nothing() -> None:
    with pytest.raises(SandboxError, match="trivial program"):
        prove(Answers(ExecutionResult("ok", stdout=KEPT), control=()))


def test_programs_carry_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of variables go in, their values do not; nor what the file says."""
    monkeypatch.setenv("SRPO_TEST_KEY", "the value")
    seen: list[str] = []

    class Spy(Answers):
        def run(self, program: Program, limits: Limits, *_: Any, **__: Any) -> ExecutionResult:
            seen.append(program.code)
            return super().run(program, limits)

    prove(Spy(ExecutionResult("ok", stdout=KEPT)))
    assert any("SRPO_TEST_KEY" in code for code in seen)
    assert not any("the value" in code or "a secret" in code for code in seen)


def test_an_account_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/no/such/folder")
    seen = prove(Answers(ExecutionResult("ok", stdout=KEPT)))
    assert [row.name for row in seen] == list(ATTEMPTS)


def test_attempts_are_programs() -> None:
    bait = Bait("/s", "/t", 1, "/h", (1, 2), {"A"})
    for attempt in ATTEMPTS.values():
        code = program(attempt, bait)
        compile(code, "attempt", "exec")
        assert all(f"{f.name} = {getattr(bait, f.name)!r}" in code for f in fields(Bait))


@pytest.mark.parametrize("mechanism", REAL)
def test_doctor_says_so(mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "srpo.sandbox.mechanisms.open_sandbox", lambda *_, **__: opened(mechanism, 1)
    )
    finding = doctor.sandbox_finding()
    name = mechanism.partition(",")[0]
    assert finding.state == "ok"
    assert finding.found == f"{name}: kept in {len(ATTEMPTS)} of {len(ATTEMPTS)} attempts"


def test_doctor_names_what_got_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsafe(*_: object, **__: object) -> object:
        return open_sandbox("unsafe-subprocess", 1)

    monkeypatch.setattr("srpo.sandbox.mechanisms.open_sandbox", unsafe)
    finding = doctor.sandbox_finding()
    assert finding.state == "lack"
    for name in ("read a file outside", "connect to a socket", "fork"):
        assert name in finding.found
    assert "take more time" not in finding.found
