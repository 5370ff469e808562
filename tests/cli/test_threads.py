"""The command line's default for waiting threads gives way to whatever the user has set."""

from __future__ import annotations

import os

import pytest

from srpo.cli.threads import SPINS, THEIRS, wait_briefly


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in THEIRS:
        monkeypatch.setenv(name, "x")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    return monkeypatch


def test_threads_wait_briefly(unset: pytest.MonkeyPatch) -> None:
    wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == str(SPINS)


@pytest.mark.parametrize("name", THEIRS)
def test_what_the_user_set_stays(unset: pytest.MonkeyPatch, name: str) -> None:
    unset.setenv(name, "7")
    wait_briefly()
    assert {n: os.environ.get(n) for n in THEIRS} == dict.fromkeys(THEIRS) | {name: "7"}


def test_the_command_sets_it_before_torch_is_there(unset: pytest.MonkeyPatch) -> None:
    """In a process of its own: OpenMP reads it once, when torch is loaded."""
    import subprocess
    import sys

    code = (
        "import os, sys\nsys.argv = ['srpo', '--version']\nfrom srpo import cli\n"
        "assert 'torch' not in sys.modules\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{SPINS} False"
