"""The first signal asks for a stop, the second stops; both say so at once."""

from __future__ import annotations

import os
import signal

import pytest

from srpo.run.signals import Stopped, StopSignal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_says_what_it_does(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)
    with StopSignal("srpo resume runs/x") as stop:
        stop.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped):
            stop.check()
        assert "will stop after this step and save it" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        assert "go on from the last checkpoint with: srpo resume runs/x" in capfd.readouterr().err
        assert stop.number == number
    assert signal.getsignal(number) is before
