"""`srpo grade` as a tool: what it reads, where it writes, and what becomes of a stopped one."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from srpo.cli import app
from srpo.grading.display import GradingDisplay
from srpo.grading.files import AnswerFile
from srpo.types import UserError


def row(number: int, **more: Any) -> dict[str, Any]:
    problem = {"id": f"p{number}", "domain": "math", "prompt": "?", "answer": str(number)}
    return {"problem": problem, "response": f"\\boxed{{{number}}}"} | more


def write(path: Path, rows: list[Any]) -> Path:
    text = "".join(json.dumps(one) + "\n" for one in rows)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def run(*arguments: Any, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["grade", *map(str, arguments)], input=stdin)


def graded(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return [json.loads(line) for line in text.splitlines()]


def partials(folder: Path) -> list[Path]:
    return list(folder.glob("*.partial*"))


def test_more_columns_pass_through(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", [row(1, model="a", sample=3), row(2, nested={"x": [1]})])
    assert run(file, "--out", tmp_path / "out.jsonl").exit_code == 0
    first, second = graded(tmp_path / "out.jsonl")
    assert (first["id"], first["outcome"], first["model"], first["sample"]) == (
        "p1", "correct", "a", 3,
    )  # fmt: skip
    assert second["nested"] == {"x": [1]}


def test_gzip_in_and_out(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl.gz", [row(n) for n in range(5)]), tmp_path / "o.jsonl.gz"
    assert run(file, "--out", out).exit_code == 0
    assert [one["id"] for one in graded(out)] == [f"p{n}" for n in range(5)]
    assert not partials(tmp_path)


def test_standard_input() -> None:
    result = run("-", stdin=b"".join(json.dumps(row(n)).encode() + b"\n" for n in range(3)))
    assert [json.loads(line)["outcome"] for line in result.stdout.splitlines()] == ["correct"] * 3


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({}, "in.jsonl: no such file; give a .jsonl file"),
        ({"in.jsonl/": None}, "in.jsonl: is a folder; give a .jsonl file"),
        ({"in.jsonl": b""}, "in.jsonl: holds no rows"),
        ({"in.jsonl": b"[" * 100_000}, "in.jsonl line 1: not valid JSON"),
        ({"in.jsonl": b'{"problem": ' + b'{"a": ' * 20_000}, "in.jsonl line 1: not valid JSON"),
        ({"in.jsonl": row(1, x=json.loads("[" * 200 + "]" * 200))}, "nested deeper than 100"),
        ({"in.jsonl": b"\x1f\x8b junk"}, "in.jsonl line 1: is not UTF-8"),
        ({"in.jsonl": row(1), "out.jsonl/": None}, "out.jsonl: a folder; give a file"),
        ({"in.jsonl": row(1), "out.jsonl": b"x"}, "it is there; give another file, or --overwrite"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, made: dict[str, Any], words: str) -> None:
    for name, content in made.items():
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (tmp_path / name).write_bytes(data)
    result = run(tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_broken_gzip_file_is_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(row(1)).encode() * 9)
    for data in (b"no gzip", whole[:-9]):
        (tmp_path / "in.jsonl.gz").write_bytes(data)
        with pytest.raises(UserError, match="no whole gzip file"):
            AnswerFile(tmp_path / "in.jsonl.gz").check()


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", [row(1)])
    before = file.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(file)
    for out in (file, tmp_path / "link.jsonl"):
        result = run(file, "--out", out, "--overwrite")
        assert "the file to grade" in str(result.exception)
    assert file.read_bytes() == before
    result = run(file, "--out", tmp_path / "no" / "such" / "out.jsonl")
    assert "there is no folder" in str(result.exception)


def test_an_existing_file_is_replaced_when_asked(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", [row(1)]), tmp_path / "out.jsonl"
    out.write_text("old")
    assert run(file, "--out", out).exit_code != 0
    assert out.read_text() == "old"
    assert run(file, "--out", out, "--overwrite").exit_code == 0
    assert graded(out)[0]["id"] == "p1"


def test_ids_that_come_again_are_reported(tmp_path: Path) -> None:
    same = write(tmp_path / "same.jsonl", [row(1), row(1), row(2)])
    assert "1 rows have an id that came before" in run(same).stderr
    other = row(3)
    other["problem"]["id"] = "p1"
    file = write(tmp_path / "in.jsonl", [row(1), row(1), other])
    found = run(file).stderr
    assert "1 rows have an id that came before, with another problem than before" in found
    assert "row 3 ('p1')" in found
    assert "came before" not in run(write(tmp_path / "once.jsonl", [row(1), row(2)])).stderr


def test_a_stopped_command_goes_on(tmp_path: Path) -> None:
    """Whatever of the last line was written; with other rows or settings it begins anew."""
    rows = [row(n) for n in range(20)]
    file, out = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    assert run(file, "--out", out).exit_code == 0
    whole = out.read_text()
    name = _partial_name(file, out)
    lines = whole.splitlines(keepends=True)
    marked = [line.replace('"detail": ""', '"detail": "from before"') for line in lines]
    for cut in ("", '{"id": "p7", "outc', '{"id": 1}\n'):
        out.unlink(missing_ok=True)
        (tmp_path / name).write_text("".join(marked[:7]) + cut)
        result = run(file, "--out", out)
        assert f"goes on after row 7 of {tmp_path / name}" in result.stderr
        assert "math: 20 of 20 correct" in result.stderr
        assert [one["id"] for one in graded(out)] == [f"p{n}" for n in range(20)]
        assert [one["detail"] for one in graded(out)].count("from before") == 7
        assert not partials(tmp_path)
    out.unlink()
    (tmp_path / name).write_text("".join(marked[:7]))
    write(file, [*rows[:-1], row(99)])
    assert "goes on" not in run(file, "--out", out).stderr
    assert "from before" not in out.read_text()


def _partial_name(file: Path, out: Path) -> str:
    """As the command calls it: by stopping one in its first write."""
    aside = out.with_name("aside")
    aside.mkdir()
    script = (
        "import sys\nfrom pathlib import Path\nfrom srpo.grading import files\n"
        "from srpo.recipe.schema import RewardConfig, VerifierConfig\n"
        "output = files.Output(Path(sys.argv[2]), Path(sys.argv[1]), False)\n"
        "begin = output.begin\n"
        "output.begin = lambda digest: (print(begin(digest).name), sys.exit())\n"
        "files.grade_file(files.AnswerFile(Path(sys.argv[1])), output, VerifierConfig(),"
        " RewardConfig())\n"
    )
    command = [sys.executable, "-c", script, str(file), str(aside / out.name)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_control_c_says_where_the_rest_is(tmp_path: Path) -> None:
    """A real one, in the middle of a file."""
    slow = [row(n) for n in range(100_000)]
    file, out = write(tmp_path / "in.jsonl", slow), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "srpo.cli", "grade", str(file), "--out", str(out)]
    process = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(p.stat().st_size for p in partials(tmp_path)):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    (partial,) = partials(tmp_path)
    assert process.returncode == 130, said
    assert f"stopped: {partial} has what is graded" in said
    assert not out.exists()
    assert 0 < len(partial.read_text().splitlines()) < len(slow)


def test_progress_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(4 * n) for n in range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    display = GradingDisplay()
    display._console.file = io.StringIO()
    for done in range(1, 11):
        display.update(done, 100)
    lines = display._console.file.getvalue().splitlines()
    assert 2 <= len(lines) <= 5
    assert lines[0].startswith("3 of 100 graded (3%)")


def test_a_full_row_is_there_at_once(tmp_path: Path) -> None:
    """What a killed command leaves is every row that it had graded, less the last at most."""
    file, out = write(tmp_path / "in.jsonl", [row(n) for n in range(100_000)]), tmp_path / "o.jsonl"
    command = [sys.executable, "-m", "srpo.cli", "grade", str(file), "--out", str(out)]
    process = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(p.stat().st_size for p in partials(tmp_path)):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (partial,) = partials(tmp_path)
    lines = partial.read_text().splitlines()
    assert all(json.loads(line)["outcome"] == "correct" for line in lines[:-1])


def test_flat_rows_and_prose(tmp_path: Path) -> None:
    """A row of training data with its response: no id, no domain, other columns kept."""
    rows = [
        {"prompt": f"{n} + 1?", "answer": str(n + 1), "response": str(n + 1), "level": n}
        for n in range(5)
    ]
    file, out = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    assert "math: 0 of 5 correct" in run(file, "--out", out).stderr
    assert [(one["id"], one["level"]) for one in graded(out)] == [
        (f"row {n + 1}", n) for n in range(5)
    ]
    assert "math: 5 of 5 correct" in run(file, "--out", out, "--overwrite", "--prose").stderr
    write(file, [{"prompt": "?", "response": "2"}])
    words = "row 1: problem: has nothing to grade by; give answer (math), tests (code)"
    assert words in str(run(file).exception)
