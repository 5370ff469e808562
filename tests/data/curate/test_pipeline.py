"""The whole curation on rows made here, with real golds, programs and files."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from srpo.data.candidate import Candidate
from srpo.data.curate import pipeline, raw
from srpo.data.curate.pipeline import Curated, curate
from srpo.recipe.curation import Curation, RatingConfig
from srpo.recipe.load import parse_section
from srpo.report.curation.summary import summarise
from srpo.types import UserError

Row = dict[str, Any]


def never(*_: Any) -> None:
    raise AssertionError("no model was to be asked")


def quiet(*_: Any) -> None:
    """Nobody watches."""


def math_row(rng: random.Random) -> Row:
    a, b = rng.randrange(10**6), rng.randrange(10**6)
    return {"prompt": f"Compute the sum of {a} and {b}.", "answer": str(a + b)}


def code_row(rng: random.Random, wrong: bool = False) -> Row:
    n = rng.randrange(2, 10**6)
    cases = [{"args": [x], "expected": n * x} for x in rng.sample(range(1, 100), 5)]
    return {
        "prompt": f"Write f(x): x times {n}.",
        "tests": {"type": "function", "entry_point": "f", "cases": cases},
        "reference": f"def f(x):\n    return {n + wrong} * x",
    }


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(
    out: Path, *sources: Path, rate: Any = never, on_phase: Any = quiet, **more: Any
) -> Curated:
    tree = {"sources": [{"path": str(path)} for path in sources], **more}
    done = curate(parse_section(Curation, tree, "test"), out, rate, on_phase)
    done.finished()
    return done


def fates(done: Curated) -> dict[str, str]:
    return {j.candidate.id: j.reason for j in done.all_rows()}


def test_every_row_leaves_by_one_door(tmp_path: Path):
    rng = random.Random()
    math = [math_row(rng) for _ in range(8)]
    math[2]["answer"] = ""
    math[5] = {"prompt": "  ", "answer": "3"}
    code = [code_row(rng), code_row(rng, wrong=True), code_row(rng)]
    code[2]["reference"] = None
    done = run(
        tmp_path / "out",
        write(tmp_path / "sums.jsonl", math),
        write(tmp_path / "products.jsonl", code),
    )
    found = fates(done)
    assert done.rows == len(found) == 11
    assert {id_: why for id_, why in found.items() if why} == {
        "sums:2": "no_ground_truth",
        "sums:5": "no_question",
        "products:1": "reference_fails",
    }
    assert not (tmp_path / "out" / ".curate").exists()
    kept = {j.candidate.id: j for j in done.all_rows() if j.stays}
    assert kept["sums:0"].candidate.answer == (math[0]["answer"],)
    assert kept["products:2"].notes == ("no reference program",)


def test_what_is_kept_loads_as_a_recipes_sources(tmp_path: Path):
    from srpo.data.sources import load_problems
    from srpo.recipe.schema import Source

    rng = random.Random()
    rows = [math_row(rng) for _ in range(4)] + [code_row(rng) for _ in range(2)]
    done = run(tmp_path / "out", write(tmp_path / "both.jsonl", rows))
    both = [Source(path=str(done.train), domain=domain) for domain in ("math", "code")]
    problems = {p.id: p for p in load_problems(both, "data.train", 0)}
    assert len(problems) == 6
    for number, row in enumerate(rows):
        problem = problems[f"both:{number}"]
        assert problem.prompt == row["prompt"]
        assert problem.answer == row.get("answer")
        assert problem.meta.get("reference") == row.get("reference")


def test_what_is_kept_can_be_curated_again(tmp_path: Path):
    rng = random.Random()
    rows = [math_row(rng) for _ in range(5)] + [code_row(rng)]
    first = run(tmp_path / "a", write(tmp_path / "both.jsonl", rows))
    again = run(tmp_path / "b", first.train)
    assert [j.candidate.prompt for j in again.all_rows()] == [r["prompt"] for r in rows]
    assert not any(fates(again).values())
    assert {j.candidate.meta["original_id"] for j in again.all_rows()} == set(fates(first))


class Killed(BaseException):
    """As by a signal."""


def test_killed_anywhere_it_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(raw, "CHUNK_ROWS", 6)
    rng = random.Random()
    rows = [math_row(rng) for _ in range(20)]
    rows += [code_row(rng, wrong=rng.random() < 0.3) for _ in range(4)]
    rng.shuffle(rows)
    path = write(tmp_path / "rows.jsonl", rows)
    difficulty = {"recipe": "nano", "samples": 4}

    def options(calls: list[int]) -> dict[str, Any]:
        def rate(
            _: RatingConfig,
            seed: int,
            asked: list[Candidate],
            record: Callable[[str, Any], None],
            on_phase: Any,
        ) -> None:
            for number, c in enumerate(asked):
                record(c.id, (4, len(c.prompt) % 5))
                on_phase("rate", number, len(asked))

        def on_phase(*_: Any) -> None:
            calls[0] -= 1
            if calls[0] == 0:
                raise Killed

        more = {"difficulty": difficulty, "verifier": {"workers": workers}}
        return {"rate": rate, "on_phase": on_phase, **more}

    workers = 2
    whole = run(tmp_path / "whole", path, **options([-1]))
    workers = 1
    count = [10**6]
    run(tmp_path / "counted", path, **options(count))
    calls = 10**6 - count[0]
    for kills in rng.sample(range(1, calls), 6):
        out = tmp_path / f"killed-{kills}"
        with pytest.raises(Killed):
            run(out, path, **options([kills]))
        done = run(out, path, **options([-1]))
        for name in (pipeline.TRAIN, pipeline.DROPPED):
            assert pq.read_table(out / name).equals(pq.read_table(whole.out / name))
        assert done.rows == len(rows)


def test_only_those_without_a_pass_rate_are_asked(tmp_path: Path):
    rng = random.Random()
    rows = [math_row(rng) | {"pass_rate": rate} for rate in (0.0, 0.5, 1.0)] + [math_row(rng)]
    asked: list[str] = []

    def rate(_c: Any, _s: int, problems: list[Candidate], record: Any, _p: Any) -> None:
        asked.extend(c.id for c in problems)
        record(asked[0], (10, 9))

    difficulty = {"recipe": "nano", "keep": ["medium", "hard"]}
    path = write(tmp_path / "rows.jsonl", rows)
    done = run(tmp_path / "out", path, rate=rate, difficulty=difficulty)
    assert asked == ["rows:3"]
    assert fates(done) == {"rows:0": "", "rows:1": "", "rows:2": "too_easy", "rows:3": "too_easy"}
    rated = {j.candidate.id: (j.samples, j.correct, j.difficulty) for j in done.all_rows()}
    assert rated["rows:3"] == (10, 9, "easy")
    assert rated["rows:1"] == (0, 0, "medium")


def test_bad_rows_are_dropped_and_the_rest_goes_on(tmp_path: Path):
    rng = random.Random()
    path = tmp_path / "rows.jsonl"
    good = [json.dumps(math_row(rng)) for _ in range(3)]
    path.write_text(
        "\n".join([good[0], "{", good[1], "[1]", '{"prompt": 3, "answer": 4}', good[2]])
    )
    done = run(tmp_path / "out", path)
    assert list(fates(done).values()).count("unreadable") == 3
    assert sum(not why for why in fates(done).values()) == 3


def test_allowed_reasons_are_notes(tmp_path: Path):
    rng = random.Random()
    rows = [code_row(rng)]
    rows[0]["tests"]["cases"] = rows[0]["tests"]["cases"][:2]
    path = write(tmp_path / "rows.jsonl", rows)
    assert fates(run(tmp_path / "a", path)) == {"rows:0": "weak_tests"}
    [judged] = run(tmp_path / "b", path, allow=["weak_tests"]).all_rows()
    assert judged.stays
    assert judged.notes[0].startswith("weak_tests: ")


def test_another_plan_does_not_go_on_with_an_unfinished_one(tmp_path: Path):
    path = write(tmp_path / "rows.jsonl", [math_row(random.Random())])

    def stop(*_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "out", path, on_phase=stop)
    with pytest.raises(UserError, match="another curation, with another recipe"):
        run(tmp_path / "out", path, min_tests=9)


def test_the_output_is_not_put_among_the_raw_data(tmp_path: Path):
    rng = random.Random()
    path = write(tmp_path / "train.jsonl", [math_row(rng)])
    for out in (tmp_path, tmp_path / "out"):
        with pytest.raises(UserError, match="is where the raw data"):
            run(out, tmp_path if out != tmp_path else path)


def test_an_unfinished_one_sees_that_its_data_changed(tmp_path: Path):
    """Also where a source and an evaluation set have one name."""
    rng = random.Random()
    for name in ("raw", "eval"):
        (tmp_path / name).mkdir()
    path = write(tmp_path / "raw" / "rows.jsonl", [math_row(rng)])
    against = [{"path": str(write(tmp_path / "eval" / "rows.jsonl", [math_row(rng)]))}]

    def stop(*_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "out", path, on_phase=stop, decontaminate=against)
    write(path, [math_row(rng)])
    with pytest.raises(UserError, match="another curation, with another sources"):
        run(tmp_path / "out", path, decontaminate=against)


def test_odd_topics_and_very_long_rows(tmp_path: Path):
    rng = random.Random()
    rows = [math_row(rng) | {"meta": {"topic": topic}} for topic in ([], [["x"]], ["a"], "b", 3)]
    rows.append({"prompt": "Find x. " * 20_000, "answer": "3"})
    done = run(tmp_path / "out", write(tmp_path / "rows.jsonl", rows))
    assert fates(done)["rows:5"] == "too_long"
    assert summarise(done.all_rows()).topics == {"a": 1, "b": 1}


def test_a_reason_that_is_none_is_named(tmp_path: Path):
    path = write(tmp_path / "rows.jsonl", [math_row(random.Random())])
    with pytest.raises(UserError, match="no reason code 'weak_test'; did you mean weak_tests"):
        run(tmp_path / "out", path, allow=["weak_test"])
    with pytest.raises(UserError, match="languages"):
        run(tmp_path / "out", path, languages=["english"])


def test_nothing_to_curate():
    with pytest.raises(UserError, match="name a source"):
        curate(Curation(), Path("out"), never, quiet)
