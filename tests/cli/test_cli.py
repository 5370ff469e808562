"""The command line as people meet it: what it prints, and the exit codes that scripts rely on."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import time
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from unittest.mock import patch

import pytest
import yaml

from runs import RECIPE, group, make_run, write_groups
from srpo import __version__, cli, doctor
from srpo.recipe.library import shipped
from srpo.recipe.load import load_recipe
from srpo.types import TrainingError, UserError

ROOT = Path(__file__).parents[2]


# Narrow and without colours, so that the text does not depend on who runs the tests.
PLAIN = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def process(*args: str | Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """The console entry in a process of its own; `code` replaces the module run."""
    start = ["-c", code] if code else ["-m", "srpo.cli"]
    command = [sys.executable, *start, *map(str, args)]
    env = {**os.environ, **PLAIN}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


def srpo(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """The console entry in this process, which has what it imports."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    words = ["srpo", *map(str, args)]
    with (
        patch.dict(os.environ, PLAIN),
        patch.object(sys, "argv", words),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return subprocess.CompletedProcess(words, cast(int, ended.value.code), *texts)


def one_line_error(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "r.yaml"
    path.write_text(RECIPE.format(steps=5, run=tmp_path / "run"))
    return path


@dataclass
class End:
    finished: bool
    step: int = 0
    reason: str = ""
    summary: dict[str, Any] | None = None
    signal: int | None = None


def call(monkeypatch: pytest.MonkeyPatch, outcome: End | BaseException, *args: str | Path) -> Any:
    """main() in this process, with a run that ends in `outcome`; returns the exit code."""

    def end(recipe: Any, observer: Any, *_: Any) -> End:
        observer.closed()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    session = SimpleNamespace(train=end, resume=end)
    monkeypatch.setitem(sys.modules, "srpo.run.session", session)
    monkeypatch.setattr("srpo.run.session", session, raising=False)
    monkeypatch.setattr(sys, "argv", ["srpo", *map(str, args)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_console_script_is_main():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"srpo": "srpo.cli:main"}


def test_version():
    result = process("--version")
    assert (result.returncode, result.stdout) == (0, f"srpo {__version__}\n")


def test_help_is_quick_and_names_every_command():
    start = time.perf_counter()
    result = process("--help")
    assert result.returncode == 0
    assert time.perf_counter() - start < 3.0  # 0.25 s when the machine has nothing else to do
    for command in ("recipes", "train", "resume", "report", "rollouts", "doctor"):
        assert command in result.stdout


def test_shells_complete_commands_and_options(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("_SRPO_COMPLETE", "complete_bash")
    for words, at, wanted in (("srpo ", "1", "rollouts"), ("srpo train --", "2", "--dry-run")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", at)
        assert wanted in process().stdout.split()
    monkeypatch.delenv("_SRPO_COMPLETE")
    assert "--install-completion" in process("--help").stdout


@pytest.mark.parametrize(
    "args", [["--nope"], ["trane"], ["train"], ["rollouts", "x", "--step", "a"]]
)
def test_wrong_usage(args: list[str]):
    result = srpo(*args)
    assert result.returncode == 2
    assert result.stdout == ""


def test_dry_run_prints_the_resolved_recipe_and_writes_nothing(recipe: Path, tmp_path: Path):
    result = srpo("train", recipe, "--dry-run", "--set", "learner.lr=1e-5", "--set", "seed=4")
    assert result.returncode == 0
    resolved = load_recipe(recipe, ["learner.lr=1e-5", "seed=4"])
    assert yaml.safe_load(result.stdout) == resolved.model_dump(mode="json")
    assert os.listdir(tmp_path) == ["r.yaml"]
    assert result.stdout.endswith("# a response ends with <|endoftext|> (0)\n")
    more = ("--set", "rollout.stop_token_ids=[7]", "--set", 'rollout.stop=["Q:"]')
    assert "(7), or the text 'Q:'" in srpo("train", recipe, "--dry-run", *more).stdout
    elsewhere = srpo("train", recipe, "--dry-run", "--set", "model=somebody/no-such-model")
    assert yaml.safe_load(elsewhere.stdout)["model"] == "somebody/no-such-model"
    assert "not known before the model is here" in elsewhere.stdout


def test_recipes_are_listed_shown_and_trained_by_name():
    lines = srpo("recipes").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped())
    assert "Both stages on the scale model; two CPU cores" in "".join(lines)
    shown = srpo("recipes", "show", "nano").stdout
    assert shown == shipped()["nano"].read_text(encoding="utf-8")
    trained = srpo("train", "nano", "--dry-run").stdout
    assert yaml.safe_load(trained) == load_recipe("nano").model_dump(mode="json")
    assert "none is named 'nona'" in one_line_error(srpo("recipes", "show", "nona"))


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["train", "{recipe}", "--set", "max_stepz=3"], "did you mean 'max_steps'"),
        (["train", "{recipe}", "--set", "rollout.group_size=1"], "rollout.group_size"),
        (["train", "none.yaml"], "no file 'none.yaml'"),
        (["train", "{folder}/r.yml"], "did you mean '{folder}/r.yaml'?"),
        (["train", "{folder}/r"], "did you mean '{folder}/r.yaml'?"),
        (["train", "nanno"], "did you mean 'nano'?"),
        (["train", "{folder}"], "it is a folder: is '{folder}/recipe.yaml' meant?"),
        (["train"], "RECIPE: give one"),
        (["train", "--from", "{folder}"], "is no run: it has no recipe.yaml"),
        (["resume", "{folder}"], "is no run: it has no recipe.yaml"),
        (["resume", "{folder}/none"], "is no run: there is no such folder"),
        (["report", "{folder}"], "is no run: it has no recipe.yaml"),
        (["rollouts", "{folder}"], "is no run: it has no recipe.yaml"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    recipe: Path, tmp_path: Path, args: list[str], complaint: str
):
    result = srpo(*(a.format(recipe=recipe, folder=tmp_path) for a in args))
    assert complaint.format(folder=tmp_path) in one_line_error(result)
    assert result.stdout == ""
    assert os.listdir(tmp_path) == ["r.yaml"]


def test_a_finished_run_prints_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    run = make_run(tmp_path, steps=20, stage2_at=11)
    recipe = run / "recipe.yaml"
    assert call(monkeypatch, End(True, 20, "max_steps: 20 steps"), "train", recipe) == 0
    out = capsys.readouterr().out
    assert "finished: max_steps" in out
    assert "+0.410" in out
    assert (run / "curves.png").stat().st_size > 5_000


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (15, 143), (None, 1)])
@pytest.mark.parametrize("command", ["train", "resume"])
def test_a_stopped_run_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
    signal: int | None,
    code: int,
):
    run = make_run(tmp_path / "a b", steps=9, stage2_at=5, finished=False)
    argument = run / "recipe.yaml" if command == "train" else run
    assert call(monkeypatch, End(False, 9, "why", signal=signal), command, argument) == code
    out = capsys.readouterr().out
    assert "stopped after step 9 (checkpoint saved)" in out
    assert f"srpo resume '{run}'" in out  # quoted, since the path has a space


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (UserError("field: value; fix"), "srpo: field: value; fix"),
        (TrainingError("diverged\nat step 3"), "srpo: diverged at step 3"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x.pt"), "x.pt: No space left on device"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "y"), "y: Permission denied"),
    ],
)
def test_errors_that_people_can_mend(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    recipe: Path,
    error: Exception,
    complaint: str,
):
    assert call(monkeypatch, error, "train", recipe) == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert err.count("\n") == 1


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, recipe: Path):
    for error in (RuntimeError("bug"), OSError(errno.EBADF, "bad descriptor")):
        with pytest.raises(type(error)):
            call(monkeypatch, error, "train", recipe)


def test_an_interrupt_exits_as_shells_expect(recipe: Path):
    code = (
        "import sys, types, srpo.cli\n"
        "def train(recipe, observer): raise KeyboardInterrupt\n"
        "sys.modules['srpo.run.session'] = types.SimpleNamespace(train=train)\n"
        "srpo.cli.main()\n"
    )
    result = process("train", recipe, code=code)
    assert result.returncode == 130
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("finished", [True, False])
def test_report(tmp_path: Path, finished: bool):
    run = make_run(tmp_path, steps=20, stage2_at=11, finished=finished)
    result = srpo("report", run)
    assert (result.returncode, result.stderr) == (0, "")
    assert "Epochs" in result.stdout
    assert ("final" in result.stdout) is finished
    assert f"curves: {run / 'curves.png'}" in result.stdout
    assert (run / "curves.png").is_file()


def test_rollouts(tmp_path: Path):
    run = make_run(tmp_path, steps=3, stage2_at=2)
    evil = "\x1b[2J[red]\ud800"
    write_groups(run, [group("p1", "ci", prompt=evil), *(group(f"q{i}", "ii") for i in range(6))])
    result = process("rollouts", run)
    assert result.returncode == 0
    assert "\\x1b[2J[red]\\ud800" in result.stdout
    assert "q3" in result.stdout
    assert "q4" not in result.stdout
    assert "--limit 10" in result.stdout
    correct = srpo("rollouts", run, "--outcome", "correct", "--problem", "p1").stdout
    assert "answer 0 of p1" in correct
    assert "answer 1 of p1" not in correct
    assert srpo("rollouts", run, "--domain", "code").stdout == "no group matches\n"
    unknown = srpo("rollouts", run, "--problem", "nothing like it").stdout
    assert "7 problems were asked, for example p1, q0, q1, q2, q3" in unknown
    assert "did you mean" in srpo("rollouts", run, "--problem", "q5x").stdout
    other = srpo("rollouts", run, "--problem", "q1", "--outcome", "correct").stdout
    assert "no group of 'q1' matches the other options" in other
    assert "steps 1 to 1" in one_line_error(srpo("rollouts", run, "--step", "9"))
    assert srpo("rollouts", run, "--outcome", "right").returncode == 2


@pytest.mark.parametrize("lack", [False, True])
def test_doctors_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lack: bool
):
    found = doctor.Finding("sandbox", "lack" if lack else "ok", "x", "no code can be trained")
    note = doctor.Finding("vllm", "note", "not installed", "slower")
    monkeypatch.setattr(doctor, "examine", lambda python: [note, found])
    assert call(monkeypatch, End(True), "doctor") == int(lack)
    assert ("cannot run" in capsys.readouterr().out) is lack


def test_doctor_looks_at_everything():
    names = {f.name for f in doctor.examine()}
    assert {"python", "torch", "device", "transformers", "vllm", "cores", "memory"} <= names
    assert {"sandbox", "tensorboard", "wandb", "trackio"} <= names


class LeakySandbox:
    """Runs programs without any containment: the doctor has to notice."""

    mechanism = "leaky"
    bounds: ClassVar[dict[str, str]] = {}

    def run(self, program: Any, limits: Any) -> Any:
        from srpo.sandbox.base import ExecutionResult

        if program.entry_point:
            return ExecutionResult("ok", values=(42,))
        done = subprocess.run([sys.executable, "-c", program.code], capture_output=True, text=True)
        return ExecutionResult("ok", stdout=done.stdout)

    def close(self) -> None: ...


class BrokenSandbox(LeakySandbox):
    def run(self, program: Any, limits: Any) -> Any:
        from srpo.errors import SandboxError

        raise SandboxError("no server could be started")


@pytest.mark.parametrize(
    ("sandbox", "complaint"),
    [(LeakySandbox, "read a file outside"), (BrokenSandbox, "no server could be started")],
)
def test_doctor_trusts_no_sandbox_that_it_has_not_tried(
    monkeypatch: pytest.MonkeyPatch, sandbox: Any, complaint: str
):
    monkeypatch.setattr("srpo.sandbox.mechanisms.open_sandbox", lambda *a, **k: sandbox())
    finding = doctor.sandbox_finding()
    assert finding.state == "lack"
    assert complaint in finding.found


def test_doctor_without_a_mechanism(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("srpo.sandbox.mechanisms._why_no_sandlock", lambda: "the kernel is old")
    monkeypatch.setattr("srpo.sandbox.mechanisms._why_no_bubblewrap", lambda: "no bwrap")
    finding = doctor.sandbox_finding()
    assert finding.state == "lack"
    assert finding.found == "sandlock: the kernel is old; bubblewrap: no bwrap"
    assert "apt-get install bubblewrap" in finding.meaning
    assert "pip install sandlock" in finding.meaning
    assert "math-only" in finding.meaning
