"""Which problems an evaluation asks: benchmarks from files, windows, errata, what differs."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.evaluation.benchmarks import BENCHMARKS, find_benchmark
from srpo.evaluation.pins import differences, digest, pin, pinned, shown
from srpo.evaluation.sets import ProblemSet, load_sets
from srpo.recipe.schema import Source
from srpo.types import Problem, UserError

DATA = os.environ.get("SRPO_DATA")


def load(spec: str | Source, folder: Path | None = None, **more: Any) -> ProblemSet:
    [found] = load_sets([spec], folder, 0, more.pop("exclude_errata", False), **more)
    return found


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    (folder / name).write_text("".join(json.dumps(r) + "\n" for r in rows))


def contest(id_: str, day: str) -> dict[str, Any]:
    cases = json.dumps([{"input": "1\n", "output": "2\n", "testtype": "stdin"}])
    return {
        "question_id": id_,
        "question_content": f"Add one, as in {id_}.",
        "contest_date": f"{day}T00:00:00",
        "starter_code": "",
        "public_test_cases": cases,
        "private_test_cases": "[]",
        "metadata": "{}",
    }


def test_a_window_of_dates(tmp_path: Path) -> None:
    days = ["2024-07-31", "2024-08-01", "2025-01-31", "2025-02-01"]
    write(tmp_path, "test.jsonl", [contest(f"x{i}", day) for i, day in enumerate(days)])
    found = load("livecodebench:2024-08..2025-01", tmp_path)
    assert [p.id for p in found.problems] == ["livecodebench/x1", "livecodebench/x2"]
    assert found.domain == "code"
    assert found.record["part"] == "2024-08..2025-01"
    with pytest.raises(UserError, match=r"the data has 2024-07-31\.\.2025-02-01"):
        load("livecodebench:2030-01..", tmp_path)


def test_a_release_is_its_files(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        name = f"test{number if number > 1 else ''}.jsonl"
        write(tmp_path, name, [contest(f"part{number}", "2024-01-01")])
    ids = lambda spec: [p.id.partition("/")[2] for p in load(spec, tmp_path).problems]  # noqa: E731
    assert ids("livecodebench:release_v2") == ["part1", "part2"]
    assert ids("livecodebench:v3") == ["part3"]
    with pytest.raises(UserError, match=r"lacks files of that release.*test4\.jsonl"):
        load("livecodebench:release_v4", tmp_path)


def test_errata_are_told_and_left_out_on_request(tmp_path: Path) -> None:
    write(tmp_path, "test.jsonl", [contest("abc350_c", "2024-01-01"), contest("x", "2024-01-01")])
    found = load("livecodebench", tmp_path)
    assert len(found.problems) == 2
    assert any("1 problems are known not to be gradable" in w for w in found.warnings)
    without = load("livecodebench", tmp_path, exclude_errata=True)
    assert [p.id for p in without.problems] == ["livecodebench/x"]
    assert without.record["errata"] == found.record["errata"] != {}
    assert without.record["errata_excluded"]


def test_files_are_known_by_their_sums(tmp_path: Path) -> None:
    rows = [{"problem": f"What is {i}+1?", "answer": str(i + 1)} for i in range(3)]
    write(tmp_path, "hmmt.jsonl", rows)
    found = load("hmmt", tmp_path)
    assert [p.id for p in found.problems] == ["hmmt/0", "hmmt/1", "hmmt/2"]
    content = (tmp_path / "hmmt.jsonl").read_bytes()
    assert found.record["files"] == {"hmmt.jsonl": hashlib.sha256(content).hexdigest()}
    assert found.record["sha256"] == digest(found.problems)
    assert any("30 problems of the pinned copy are missing" in w for w in found.warnings)
    assert any("3 problems are not in the pinned copy" in w for w in found.warnings)
    assert len(found.warnings) == 2


def test_a_row_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A score over the others would be of another benchmark."""
    write(tmp_path, "hmmt.jsonl", [{"problem": "What is 1+1?", "answer": ""}])
    with pytest.raises(UserError, match="row 0 has no answer"):
        load("hmmt", tmp_path)


def test_generated_own_and_any_file(tmp_path: Path) -> None:
    assert len(load("nano:math").problems) == 128
    own = [
        Source(path="nano:math", domain="math", split="heldout", limit=3),
        Source(path="nano:code", domain="code", split="heldout", limit=2),
    ]
    names = [(s.name, len(s.problems)) for s in load_sets(["heldout"], None, 0, False, own)]
    assert names == [("heldout:code", 2), ("heldout:math", 3)]
    with pytest.raises(UserError, match="there is no run, or it names"):
        load("heldout")
    write(tmp_path, "mine.jsonl", [{"question": "1+1?", "answer": "2\n#### 2"}])
    assert load(str(tmp_path / "mine.jsonl")).problems[0].answer == "2"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("aime2024", "aime24"),
        ("MATH-500", "math500"),
        ("HumanEval+", "humanevalplus"),
        ("livecodebnch", "livecodebench"),
        ("gsm", "gsm8k"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"is no benchmark; did you mean.*'{meant}'"):
        find_benchmark(name)


@pytest.mark.parametrize("spec", ["aime24:v3", "gsm8k:2024-01.."])
def test_only_dated_sets_have_parts(tmp_path: Path, spec: str) -> None:
    with pytest.raises(UserError, match="its problems have no dates"):
        load(spec, tmp_path)


def test_every_benchmark_is_pinned() -> None:
    for name in BENCHMARKS:
        found = pinned(name)
        assert re.fullmatch(r"[0-9a-f]{64}", found["sha256"])
        assert found["problems"]
        assert found["source"] != "not stated"


@pytest.mark.skipif(DATA is None, reason="SRPO_DATA is not set: no real data sets")
@pytest.mark.parametrize("name", ["aime24", "amc23", "math500", "gsm8k", "humaneval", "mbpp"])
def test_the_pinned_copies_are_these(name: str) -> None:
    found = load(name, Path(str(DATA)))
    assert found.warnings == []
    assert found.record["differences"] == []
    assert len(found.problems) == len(pinned(name)["problems"])


# --- fingerprints


WORDS = st.lists(st.text("abcxyz$", min_size=1, max_size=6), min_size=12, max_size=40)


def math(text: str, answer: str = "1") -> Problem:
    return Problem(f"p/{hashlib.md5(text.encode()).hexdigest()[:6]}", "math", text, answer)


@given(st.lists(WORDS, min_size=1, max_size=6, unique_by=tuple), st.randoms())
def test_another_order_and_other_spaces_are_no_difference(texts: list[list[str]], rng: Any) -> None:
    pins = [pin(math(" ".join(words))) for words in texts]
    others = [math("\n  ".join(words)) for words in texts]
    rng.shuffle(others)
    assert differences(pins, others) == []


@given(WORDS, st.integers(0, 11))
def test_a_lost_word_is_found_where_it_was(words: list[str], at: int) -> None:
    words = [f"{i}{w}" for i, w in enumerate(words)]
    [found] = differences(
        [pin(math(" ".join(words)))], [math(" ".join(words[:at] + words[at + 1 :]))]
    )
    assert found.kind == "text"
    assert "[-1 word-]" in found.shown
    before = " ".join(words[max(0, at - 4) : at])
    assert before in found.shown


def test_what_was_put_in_is_shown() -> None:
    words = [f"w{i}" for i in range(30)]
    text = " ".join([*words[:10], "$x>0$", *words[10:]])
    assert (
        shown(pin(math(" ".join(words))).words, text)
        == "... w6 w7 w8 w9 {+$x>0$+} w10 w11 w12 w13 ..."
    )


def test_another_answer_a_missing_problem_and_one_more() -> None:
    texts = [" ".join(f"{letter}{i}" for i in range(20)) for letter in "abc"]
    pins = [pin(math(t)) for t in texts[:2]]
    found = differences(pins, [math(texts[0], "2"), math(texts[2])])
    assert sorted(d.kind for d in found) == ["added", "answer", "missing"]


def test_the_digest_hangs_on_texts_golds_and_order() -> None:
    rng = random.Random(1)
    problems = [math(f"question {rng.random()}") for _ in range(4)]
    same = digest(problems)
    assert digest(problems[::-1]) != same
    assert digest([*problems[:3], math(problems[3].prompt, "2")]) != same
    assert digest(problems) == same
