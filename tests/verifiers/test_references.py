"""References are run before a training: what they fail is listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srpo.data.sources import load_problems
from srpo.domains import find_domain
from srpo.recipe.schema import Source, VerifierConfig
from srpo.sandbox.mechanisms import available
from srpo.types import Problem, UserError
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.references import check_references

MECHANISM = "unsafe-subprocess" if available()["sandlock"] else "sandlock"  # programs: our own


@pytest.fixture(scope="module")
def pool() -> Iterator[VerifierPool]:
    config = VerifierConfig(sandbox=MECHANISM, workers=1, time_limit_s=1.0)
    with VerifierPool(config, [find_domain("code")]) as pool:
        yield pool


def row(name: str, reference: str | None, code: str = "assert f(2) == 4") -> Problem:
    tests: dict[str, Any] = {"type": "asserts", "asserts": [code]}
    meta = {} if reference is None else {"reference": reference}
    return Problem(name, "code", "Write f.", tests=tests, meta=meta)


def test_good_ones_and_none_are_no_matter(pool: VerifierPool) -> None:
    fenced = 'def f(n):\n    """\n```\nf(2)\n```\n"""\n    return n * n'
    check_references(pool, [row("a", "def f(n): return n * 2"), row("b", None), row("c", fenced)])
    check_references(pool, [Problem("m", "math", "1+1?", answer="2")])
    check_references(pool, [])


def test_what_no_program_may_pass_is_listed(pool: VerifierPool) -> None:
    rows = [
        row("good", "def f(n): return n * 2"),
        row("library", "def f(n): return 4", "import no_such_module\nassert f(2) == 4"),
        row("wrong", "def f(n): return n"),
        row("slow", "def f(n):\n    while True: pass"),
    ]
    with pytest.raises(UserError) as caught:
        check_references(pool, rows)
    said = str(caught.value)
    assert "3 of 4 code problems have tests that their own reference does not pass" in said
    assert "library (UserError: the problem's tests fail by themselves: test 0: Module" in said
    assert "wrong (test 0: assert f(2) == 4); slow (timeout: timed out after 1 s)" in said
    assert "good" not in said
    assert "\n" not in said


def test_only_the_first_are_shown(pool: VerifierPool) -> None:
    with pytest.raises(UserError, match=r"12 of 12 .* and 2 more"):
        check_references(pool, [row(f"r{n}", "f = None") for n in range(12)])


def test_a_files_column_is_the_reference(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    tests = '{"type": "asserts", "asserts": ["assert f(1)"]}'
    file.write_text(
        f'{{"prompt": "?", "tests": {tests}, "solution": "f = str"}}\n'
        f'{{"prompt": "?", "tests": {tests}}}\n'
    )
    source = Source(path=str(file), domain="code", reference_field="solution")
    assert [p.meta for p in load_problems([source], "data.train", 0)] == [
        {"reference": "f = str"}, {},
    ]  # fmt: skip
