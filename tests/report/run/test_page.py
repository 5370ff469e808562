"""report.html: what is on it is what the run's files say, and text stays text."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from report.pages import HOSTILE, Reader
from runs import group, make_run, write_groups, write_lines
from srpo.cli import app
from srpo.report.reader import open_run
from srpo.report.run.page import page, write_page

hostile_texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))).map("".join)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = make_run(tmp_path, steps=60, stage2_at=30)
    write_groups(folder, [group(f"p{n}", "cie", step=n + 1) for n in range(60)])
    return folder


def dirty(folder: Path, words: Callable[[], str]) -> Path:
    """A run in which everything that a model, a data set or a recipe can name is `words()`."""
    run = make_run(folder, steps=12, stage2_at=6)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    stage = f"stage1{words()}"  # one name: another one would be another stage, and a line more
    write_lines(run / "metrics.jsonl", [row | {"stage": stage} for row in rows[:6]])
    evals = [json.loads(line) for line in (run / "evals.jsonl").read_text().splitlines()]
    write_lines(run / "evals.jsonl", [line | {"point": f"point{words()}"} for line in evals])
    (run / "recipe.yaml").write_text(yaml.safe_dump({"model": words(), "seed": words()}))
    groups = [group(words(), "ci", prompt=words(), stage=words()) for _ in range(3)]
    for rollout in (r for g in groups for r in g["rollouts"]):
        rollout |= {"text": words(), "answer": words(), "detail": words()}
    write_groups(run, groups)
    return run


def test_no_text_changes_the_pages_structure(tmp_path_factory: pytest.TempPathFactory):
    calm = page(open_run(dirty(tmp_path_factory.mktemp("calm"), lambda: "word")))
    tags = Reader(calm).tags

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(hostile_texts, min_size=1, max_size=8), st.randoms(use_true_random=False))
    def check(texts: list[str], r: random.Random):
        run = dirty(tmp_path_factory.mktemp("dirty"), lambda: f"x{r.choice(texts)}")
        found = write_page(run).read_text(encoding="utf-8")
        assert Reader(found).tags == tags
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", found)

    check()


def test_nothing_is_fetched_and_only_the_pages_own_script_may_run(run: Path):
    found = Reader(page(open_run(run)))
    assert not {"link", "img", "iframe", "object", "embed", "base", "image", "use"} & {*found.tags}
    fetching = ("src", "srcset", "action", "formaction", "background", "poster", "data", "style")
    assert not [a for a in found.attributes if a[1] in fetching or a[1].startswith("on")]
    assert all(value.startswith("#") for _, name, value in found.attributes if "href" in name)
    (style,), (data, script) = found.raw["style"], found.raw["script"]
    assert "url(" not in style
    assert "@import" not in style
    assert json.loads(gzip.decompress(base64.b64decode(data)))
    policy = next(v for t, n, v in found.attributes if (t, n) == ("meta", "content") and "src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in (("style-src", style), ("script-src", script))
    }
    assert rules["default-src"] == "'none'"
    assert {n: rules[n] for n in digest} == {n: f"'sha256-{d}'" for n, d in digest.items()}


def test_the_tables_are_the_runs_metrics(run: Path):
    rows = open_run(run).metrics()
    tables = Reader(page(open_run(run))).tables
    accuracy = tables["Accuracy, by step"]
    assert accuracy[0] == ["step", "math", "code"]
    assert [line[0] for line in accuracy[1:]] == [str(row["step"]) for row in rows]
    for line, row in zip(accuracy[1:], rows, strict=True):
        wanted = [row.get("accuracy/math"), row.get("accuracy/code")]
        assert line[1:] == ["-" if v is None else f"{v:.1%}" for v in wanted]
    tokens = tables["Tokens so far, by step"]
    assert tokens[-1][1] == f"{rows[-1]['tokens/generated']:,}"
    assert tokens[-1][2] == f"{rows[-1]['tokens/trained']:,}"


def test_every_chart_has_a_table_and_a_caption(run: Path):
    text = page(open_run(run))
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(figures) >= 8
    for figure in figures:
        found = Reader(figure)
        (rows,) = found.tables.values()
        assert len(rows) > 2
        assert found.tags.count("svg") == found.tags.count("figcaption") == 1
        assert all(len(row) == len(rows[0]) for row in rows)
        scopes = [value for tag, name, value in found.attributes if (tag, name) == ("th", "scope")]
        assert scopes == ["col"] * len(rows[0]) + ["row"] * (len(rows) - 1)


def test_a_run_without_a_step_has_a_page(tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text("model: nano\nmax_steps: 5\n")
    text = page(open_run(tmp_path))
    assert "no step is logged yet" in text
    assert "No steps yet." in text
    assert "no rollouts on disk" in text


def test_a_run_in_its_first_step_has_a_page(tmp_path: Path):
    run = make_run(tmp_path, steps=1, stage2_at=9, finished=False)
    (run / "ledger.parquet").unlink()
    tables = Reader(page(open_run(run))).tables
    assert len(tables["Accuracy, by step"]) == 2


def test_a_long_run_is_averaged_and_says_so(tmp_path: Path):
    run = make_run(tmp_path, steps=1000, stage2_at=500)
    text = page(open_run(run))
    assert "Every point is the mean of 4 steps." in text
    assert len(Reader(text).tables["Accuracy, by step"]) == 1 + 125 + 126  # 499 and 501 steps


def test_the_page_keeps_its_size(tmp_path: Path):
    run = make_run(tmp_path, steps=300, stage2_at=100)
    r = random.Random()
    groups = [group(f"p{n}", "ccii", step=n % 300 + 1) for n in range(900)]
    for g in groups:
        for rollout in g["rollouts"]:
            rollout["text"] = "<&推" + r.randbytes(r.randint(100, 3000)).hex()
    write_groups(run, groups)
    assert len(page(open_run(run))) < 1_000_000


@pytest.mark.parametrize(
    ("form", "files"),
    [
        (None, {"report.html", "curves.png"}),
        ("html", {"report.html"}),
        ("png", {"curves.png"}),
        ("md", set()),
    ],
)
def test_the_command_writes_what_is_asked_for(run: Path, form: str | None, files: set[str]):
    options = [] if form is None else ["--format", form]
    result = CliRunner().invoke(app, ["report", str(run), *options])
    assert result.exit_code == 0, result.output
    assert {p.name for p in run.iterdir()} & {"report.html", "curves.png"} == files
    assert ("## srpo report" in result.output) == (form == "md")
