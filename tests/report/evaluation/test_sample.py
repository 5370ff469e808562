"""What an evaluation's page chooses to show: of every rate, within a bound, and what hostile,
missing or damaged files do to it."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from report.evaluation.folders import made, row, write
from report.pages import HOSTILE, Reader
from srpo.evaluation.store import SCHEMA, Responses
from srpo.report.evaluation.charts import charts
from srpo.report.evaluation.compare import compare_lines
from srpo.report.evaluation.files import part_files, read_result
from srpo.report.evaluation.sample import ROOM, sample
from srpo.report.evaluation.survey import DISPUTED, PROBLEMS, survey
from srpo.report.evaluation.write import write_reports
from srpo.types import UserError

OTHER = {"math-verify: outcome": "correct", "math-verify: detail": "because"}


def test_the_survey_counts_what_was_written(tmp_path: Path) -> None:
    rng = random.Random()
    problems = [
        [
            row(f"p{i}", k, rng.choice(["correct", "incorrect"]), tokens=rng.randrange(50))
            for k in range(4)
        ]
        for i in range(37)
    ]
    found = survey(write(tmp_path, problems), "set")
    rates = Counter(sum(r["outcome"] == "correct" for r in rows) for rows in problems)
    lengths = Counter((r["tokens"], r["outcome"] == "correct") for rows in problems for r in rows)
    assert (found.problems, found.correct, found.lengths) == (37, rates, lengths)


def test_rare_rates_are_shown_among_many_that_are_alike(tmp_path: Path) -> None:
    letters = ["iiii"] * 150
    letters[97], letters[120], letters[149] = "ciii", "ccii", "cccc"
    [found] = sample(made(tmp_path, letters), [one_set(150)])
    assert {"p97", "p120", "p149"} <= {problem.id for problem in found.shown}
    assert len(found.shown) == PROBLEMS
    assert [p.at for p in found.shown] == sorted(p.at for p in found.shown)


def test_every_disagreement_is_listed_up_to_a_bound(tmp_path: Path) -> None:
    problems = [[row(f"p{i}", k, "incorrect") for k in range(8)] for i in range(200)]
    disputed = random.Random().sample(range(200), DISPUTED // 2)
    for i in disputed:
        problems[i][7] |= OTHER
    [found] = sample(write(tmp_path, problems), [one_set(200)])
    assert {d.id for d in found.disputes} == {f"p{i}" for i in disputed}
    assert {p.id for p in found.shown if p.disputes} == {f"p{i}" for i in disputed}
    assert all(d.others == [("math-verify", "correct", "because")] for d in found.disputes)
    assert all(8 in [r.number for r in p.responses] for p in found.shown if p.disputes)


def test_a_grader_that_failed_does_not_disagree(tmp_path: Path) -> None:
    failed = {"math-verify: outcome": "error", "math-verify: detail": "timed out"}
    write_reports(write(tmp_path, [[row("p", 0, "correct", **failed)]]))
    text = (tmp_path / "report.md").read_text()
    assert "disagree" not in text
    assert "math-verify failed on 1, which count in none of its numbers." in text


@pytest.mark.parametrize("letter", ["<", "\U0010fffd"])
def test_the_page_is_small_whatever_the_texts_are(tmp_path: Path, letter: str) -> None:
    """Where each character is up to ten on the page, in every field."""
    text = letter * 3000
    more = {"response": text, "answer": text, "detail": text}
    more |= {"math-verify: outcome": "correct", "math-verify: detail": text}
    problems = [
        [row(f"p{i}{letter * 300}", k, "incorrect", **more) for k in range(6)] for i in range(60)
    ]
    write_reports(write(tmp_path, problems))
    assert len((tmp_path / "report.html").read_bytes()) < 2_000_000
    [found] = sample(tmp_path, [one_set(60)])
    assert found.shown
    assert found.disputes


def test_many_sets_share_the_room(tmp_path: Path) -> None:
    """Fourteen of them with long texts: each has some problems to read."""
    out = write(tmp_path, [[row(f"p{i}", 0, "correct", response="<" * 9000)] for i in range(60)])
    rows = pq.read_table(out / "problems.parquet").to_pylist()
    sets, first = [], read_result(out)["sets"][0]
    for i in range(14):
        name = f"set{i}"
        for part, file in enumerate(part_files(out, "set")):
            Responses(out).write(name, part, pq.read_table(file, schema=SCHEMA).to_pylist())
        rows += [r | {"benchmark": name} for r in rows[:60]]
        sets.append(first | {"name": name, "title": name})
    pq.write_table(pa.Table.from_pylist(rows), out / "problems.parquet")
    (out / "result.json").write_text(json.dumps(read_result(out) | {"sets": sets}))
    write_reports(out)
    assert 0.5 * ROOM < len((out / "report.html").read_bytes()) < 2_000_000
    assert all(s.shown for s in sample(out, sets))


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    problems = [
        [row(f"{evil.encode('utf-8', 'replace').decode()}{i}", 0, "incorrect", **OTHER) | texts]
        for i, evil in enumerate(HOSTILE)
        for texts in [dict.fromkeys(("response", "answer", "detail"), evil.replace("\ud800", "?"))]
    ]
    write_reports(write(tmp_path, problems))
    page = (tmp_path / "report.html").read_text()
    read = Reader(page)
    assert not {"script", "img", "iframe"} & set(read.tags)
    assert {v[0] for t, n, v in read.attributes if t == "a" and n == "href"} == {"#"}
    assert not [n for _, n, _ in read.attributes if n.startswith("on")]
    assert not any(c in page for c in "\u202e\u2066\u2028\x1b\x00\x7f")


def test_two_sets_whose_names_begin_alike(tmp_path: Path) -> None:
    for name in ("a", "a-1", "a-00000"):
        Responses(tmp_path).write(name, 0, [])
    for name in ("a", "a-1", "a-00000"):
        assert part_files(tmp_path, name) == [Responses(tmp_path).part(name, 0)]


def test_parts_of_before_there_were_graders_beside(tmp_path: Path) -> None:
    out = made(tmp_path, ["ci"])
    [file] = part_files(out, "set")
    table = pq.read_table(file)
    pq.write_table(table.select([n for n in table.column_names if ": " not in n]), file)
    write_reports(out)
    assert "disagree" not in (out / "report.md").read_text()


@pytest.mark.parametrize("damage", ["part", "missing", "questions", "question", "result"])
def test_a_damaged_folder_is_one_line(tmp_path: Path, damage: str) -> None:
    out = made(tmp_path, ["ci"] * 20)
    file = part_files(out, "set")[1]
    if damage == "part":
        file.write_bytes(b"no parquet")
    elif damage == "missing":
        file.unlink()
    elif damage == "questions":
        (out / "problems.parquet").write_bytes(b"no parquet")
    elif damage == "question":
        table = pq.read_table(out / "problems.parquet")
        pq.write_table(table.slice(1), out / "problems.parquet")
    else:
        (out / "result.json").write_text("[]")
    with pytest.raises(UserError) as caught:
        write_reports(out)
    assert "\n" not in str(caught.value)
    if damage in ("part", "missing", "result"):
        with pytest.raises(UserError):
            compare_lines(out, out)


def test_each_number_of_correct_responses_has_its_bar(tmp_path: Path) -> None:
    out = made(tmp_path, ["iiii", "ciii", "ccci", "ccci", "cccc"])
    result = read_result(out)
    shown = {c.key: c for c in charts(result, sample(out, result["sets"]))}
    assert shown["rates"].series[0].values == [1, 1, 0, 2, 1]
    right, wrong = shown["lengths-0"].series
    assert (sum(right.values), sum(wrong.values)) == (11, 9)


def test_the_hub_reads_the_scores(tmp_path: Path) -> None:
    out = made(tmp_path, ["ci", "cc"])
    result = read_result(out)
    result["sets"][0]["data"] |= {"source": "owner/benchmark", "revision": "abc"}
    (out / "result.json").write_text(json.dumps(result))
    write_reports(out)
    index = json.loads((out / "model-index.json").read_text())["model-index"]
    name, found = model_index_to_eval_results(index)
    assert (found[0].dataset_type, found[0].dataset_revision) == ("owner/benchmark", "abc")
    assert found[0].metric_value == 75.0
    again = ModelCardData(model_name=name, eval_results=found).to_dict()["model-index"]
    assert again == index


def test_memory_does_not_grow_with_the_responses(tmp_path: Path) -> None:
    """What Python holds at most, of 800 and of 4,800 responses."""
    peaks, text = [], "x" * 2000
    for parts in (10, 60):
        problems = [
            [row(f"p{i}", k, ("correct", "incorrect")[k % 2], response=text) for k in range(10)]
            for i in range(parts * 8)
        ]
        out = tmp_path / str(parts)
        out.mkdir()
        write(out, problems)
        del problems
        sets = [one_set(parts * 8)]
        tracemalloc.start()
        sample(out, sets)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def one_set(problems: int) -> dict[str, object]:
    return {"name": "set", "title": "Set", "numbers": {"problems": problems}}
