"""A recipe is understood as it was meant, or refused in one line that says what to do."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from srpo.recipe.load import dump_recipe, load_recipe, parse_recipe
from srpo.recipe.schema import (
    DrGrpoConfig,
    DynamicConfig,
    ForecastConfig,
    GspoConfig,
    HistoryConfig,
    MixedConfig,
    NoneConfig,
    Recipe,
    RlooConfig,
    StagesConfig,
    TokenLossSettings,
)
from srpo.types import UserError

MINIMAL: dict[str, Any] = {
    "model": "nano",
    "max_steps": 3,
    "data": {
        "train": [
            {"path": "nano:math", "domain": "math"},
            {"path": "nano:code", "domain": "code"},
        ]
    },
}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    return path


def with_value(key: str, value: Any) -> dict[str, Any]:
    tree = copy.deepcopy(MINIMAL)
    node = tree
    *parents, last = key.split(".")
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = value
    return tree


def test_the_defaults_are_the_papers_method():
    r = parse_recipe(MINIMAL, "r")
    assert (r.sampler.strategy, r.curriculum.kind) == (HistoryConfig(solved_at=1.0), "staged")
    assert (r.learner.betas, r.learner.lr, r.loss.kl_coef) == ((0.9, 0.95), 1e-6, 0.0)


def test_dumping_and_loading_gives_the_same_recipe(tmp_path: Path):
    first = parse_recipe(with_value("learner.lr", 3e-5) | {"seed": 7}, "r")
    path = tmp_path / "resolved.yaml"
    path.write_text(dump_recipe(first))
    assert load_recipe(path) == first


@given(lr=st.floats(1e-12, 10), g=st.integers(2, 10**6), name=st.text(min_size=1))
def test_any_values_survive_dumping(lr: float, g: int, name: str):
    tree = {**MINIMAL, "output_dir": name, "learner": {"lr": lr}, "rollout": {"group_size": g}}
    first = parse_recipe(tree, "r")
    assert parse_recipe(yaml.safe_load(dump_recipe(first)), "again") == first


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("learner.lr=1e-5", lambda r: r.learner.lr, 1e-5),
        ("sampler.strategy=none", lambda r: r.sampler.strategy, NoneConfig()),
        ("sampler.strategy.kind=none", lambda r: r.sampler.strategy, NoneConfig()),
        (
            "sampler.strategy.solved_at=0.9",
            lambda r: r.sampler.strategy,
            HistoryConfig(solved_at=0.9),
        ),
        (
            "sampler.strategy={kind: dynamic, max_rounds: 9}",
            lambda r: r.sampler.strategy,
            DynamicConfig(max_rounds=9),
        ),
        ("loss.tis_cap=null", lambda r: r.loss.tis_cap, None),
        ("loss=gspo", lambda r: r.loss, GspoConfig()),
        ("advantage=rloo", lambda r: r.advantage, RlooConfig()),
        ("curriculum.kind=mixed", lambda r: r.curriculum, MixedConfig()),
        ("curriculum.plateau.window=4", lambda r: r.curriculum.plateau.window, 4),
        ("learner.betas=[0.8, 0.9]", lambda r: r.learner.betas, (0.8, 0.9)),
        ("output_dir=runs/a=b", lambda r: r.output_dir, "runs/a=b"),
        ("advantage.outcome_gate=false", lambda r: r.advantage.outcome_gate, False),
    ],
)
def test_overrides(recipe: Path, override: str, read: Any, value: Any):
    assert read(load_recipe(recipe, [override])) == value


@pytest.mark.parametrize(
    ("engine", "loss", "cap"),
    [
        ("bfloat16", {}, 2.0),
        ("bfloat16", {"tis_cap": None}, None),
        ("vllm", {}, 2.0),
        ("vllm", {"kl_coef": 0.1}, 2.0),
        ("vllm", {"tis_cap": None}, None),
        ("vllm", {"tis_cap": 3}, 3.0),
        ("vllm", {"kind": "cispo"}, 2.0),
        ("transformers", {}, None),
        ("transformers", {"tis_cap": 3}, 3.0),
    ],
)
def test_importance_sampling_goes_by_the_engine_unless_said(
    engine: str, loss: dict[str, Any], cap: float | None
):
    rollout = {} if engine == "bfloat16" else {"engine": engine}
    learner = {"dtype": "bfloat16"} if engine == "bfloat16" else {}
    recipe = parse_recipe({**MINIMAL, "rollout": rollout, "learner": learner, "loss": loss}, "r")
    assert isinstance(recipe.loss, TokenLossSettings)
    assert recipe.loss.tis_cap == cap
    assert recipe.loss.kl_coef == loss.get("kl_coef", 0.0)
    assert parse_recipe(yaml.safe_load(dump_recipe(recipe)), "again") == recipe


def test_a_loss_over_whole_responses_has_no_weights_of_tokens():
    recipe = parse_recipe({**MINIMAL, "rollout": {"engine": "vllm"}, "loss": "gspo"}, "r")
    assert recipe.loss == GspoConfig()
    with pytest.raises(
        UserError, match=r"'loss\.tis_cap' of kind 'gspo'; it belongs to kind token"
    ):
        parse_recipe({**MINIMAL, "loss": {"kind": "gspo", "tis_cap": 2.0}}, "r")


@pytest.mark.parametrize(("length", "found"), [({}, 77), ({"length": 9}, 9)])
def test_a_constant_length_is_that_of_the_rollouts_unless_said(length: Any, found: int):
    tree = {**MINIMAL, "rollout": {"max_new_tokens": 77}, "loss": {"kind": "dr-grpo", **length}}
    recipe = parse_recipe(tree, "r")
    assert recipe.loss == DrGrpoConfig(length=found)
    assert parse_recipe(yaml.safe_load(dump_recipe(recipe)), "again") == recipe


def test_later_overrides_win(recipe: Path):
    assert load_recipe(recipe, ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("seed", "write key=value"),
        ("=3", "write key=value"),
        ("seed.deep=3", "single value"),
        ("seed=[1", "not valid YAML"),
        ("seed=2020-13-45", "not valid YAML"),
        ("seed=!!int many", "not valid YAML"),
        ("seed=" + "9" * 5000, "not valid YAML"),
        ("data=" + "[" * 600, "not valid YAML"),
        ("data.train.9.limit=1", "'9' is no index of a list of"),
        ("sede=3", "unknown key 'sede'; did you mean 'seed'"),
    ],
)
def test_bad_overrides(recipe: Path, override: str, complaint: str):
    if override == "seed.deep=3":
        recipe.write_text(recipe.read_text() + "seed: 1\n")
    with pytest.raises(UserError) as error:
        load_recipe(recipe, [override])
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("max_stepz", 3, "unknown key 'max_stepz'; did you mean 'max_steps'"),
        ("learner.learning_rte", 3, "unknown key 'learner.learning_rte'"),
        ("rollout.groupsize", 8, "did you mean 'group_size'"),
        ("rollout.group_size", 1, "rollout.group_size"),
        ("rollout.group_size", "many", "got 'many'"),
        ("rollout.top_p", 0.0, "rollout.top_p"),
        ("learner.lr", -1, "got -1"),
        ("verifier.time_limit_s", 1e30, "verifier.time_limit_s: input should be less than"),
        ("verifier.time_limit_s", 0.001, "verifier.time_limit_s: input should be greater than"),
        ("verifier.memory_mb", 10**15, "verifier.memory_mb: input should be less than"),
        ("verifier.memory_mb", 5, "verifier.memory_mb: input should be greater than"),
        ("rollout.top_p", ["x"] * 9999, "rollout.top_p"),
        (
            "sampler.strategy",
            "histry",
            "sampler.strategy.kind: 'histry' is unknown; did you mean 'history'",
        ),
        (
            "sampler.strategy",
            "x",
            "known kinds: none, dynamic, history, forecast, package.module:name",
        ),
        ("sampler.strategy", 3, "sampler.strategy: must be one of none, dynamic, history,"),
        ("sampler.strategy", None, "sampler.strategy: must be one of none, dynamic, history,"),
        ("sampler.strategy.kind", 3, "sampler.strategy.kind: '3' is unknown; known kinds: none,"),
        (
            "sampler.strategy.max_rounds",
            3,
            "'sampler.strategy.max_rounds' of kind 'history'; it belongs to kind dynamic",
        ),
        (
            "sampler.strategy",
            {"kind": "none", "recheck_share": 0.1},
            "of kind 'none'; it belongs to kind history or forecast",
        ),
        ("loss", "tokenmean", "loss.kind: 'tokenmean' is unknown; did you mean 'token-mean'"),
        (
            "loss.length",
            9,
            "unknown key 'loss.length' of kind 'token-mean'; it belongs to kind dr-g",
        ),
        (
            "loss",
            [1],
            "loss: must be one of token-mean, sample-mean, dr-grpo, cispo, gspo, got [1]",
        ),
        ("advantage", {"kind": "rloo", "normalize_std": True}, "it belongs to kind group"),
        ("sampler.strategy.solvd_at", 1, "'sampler.strategy.solvd_at'; did you mean 'solved_at'"),
        ("sampler.strategy.solved_at", 0, "sampler.strategy.solved_at: input should be greater"),
        ("checkpoint.keep", 1, "checkpoint.keep"),
        ("data.train", [], "data.train"),
        ("data.template", "no place", "must contain {prompt}"),
        ("data.train", [{"path": "x.jsonl", "domain": "math"}], "needs code"),
        ("curriculum.plateau", {"windows": 3}, "did you mean 'window'"),
    ],
)
def test_bad_values_name_field_and_fix(key: str, value: Any, complaint: str):
    with pytest.raises(UserError) as error:
        parse_recipe(with_value(key, value), "r.yaml")
    text = str(error.value)
    assert complaint in text
    assert text.startswith("recipe r.yaml: ")
    assert "\n" not in text
    assert len(text) < 1000


@pytest.mark.parametrize(
    "text", ["seed: [", "seed: 2020-13-45", "seed: !!timestamp x", "{a: " * 600, "\0", "&a [*a"]
)
def test_what_is_no_yaml_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"^recipe .*: not valid YAML: ") as error:
        load_recipe(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["model", "max_steps", "data"])
def test_what_is_required_is_asked_for(key: str):
    with pytest.raises(UserError, match=f"{key}: required, but missing"):
        parse_recipe({k: v for k, v in MINIMAL.items() if k != key}, "r")


@pytest.mark.parametrize(
    ("kind", "domains", "fits"),
    [
        ("staged", "math code", True),
        ("staged", "math", False),
        ("mixed", "code", False),
        ("math-only", "math", True),
        ("math-only", "code", False),
        ("code-only", "code", True),
        ("code-only", "math", False),
    ],
)
def test_every_stage_of_a_curriculum_has_problems(kind: str, domains: str, fits: bool):
    train = [{"path": f"nano:{d}", "domain": d} for d in domains.split()]
    tree = {**MINIMAL, "data": {"train": train}, "curriculum": {"kind": kind}}
    if fits:
        assert parse_recipe(tree, "r").curriculum.kind == kind
    else:
        with pytest.raises(UserError, match=r"data\.train has none"):
            parse_recipe(tree, "r")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("data.train[0].answer_pattern=#### (.+)", "#### (.+)"),
        ("data.train.0.answer_pattern=[0-9]: {2}", "[0-9]: {2}"),
        ("data.train[0].answer_pattern=null", None),
        ("data.system=You are #1", "You are #1"),
        ("data.system=no", "no"),
        ("eval.at=[]", []),
        ("eval.at=[base, final]", ["base", "final"]),
        ("rollout.stop=[a, b]", ["a", "b"]),
        ("data.system=3", "3"),
        ("data.system='a: b # c'", "a: b # c"),
        ('data.template="{prompt}\\n"', "{prompt}\n"),
        ("data.template={prompt} = ?", "{prompt} = ?"),
        ("model=1e5", "1e5"),
        ("data.train[0].path=a=b.jsonl", "a=b.jsonl"),
    ],
)
def test_a_field_of_text_takes_its_text_as_it_stands(
    override: str, value: str | list[str] | None, tmp_path: Path
):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    node: Any = load_recipe(path, [override])
    for part in re.findall(r"\w+", override.partition("=")[0]):
        node = node[int(part)] if part.isdigit() else getattr(node, part)
    assert node == value


@pytest.mark.parametrize(
    ("key", "meant"),
    [("lr", "'learner.lr'"), ("group_size", "'rollout.group_size'"), ("temperatur", "known keys")],
)
def test_a_key_without_its_section_is_understood(key: str, meant: str):
    with pytest.raises(UserError, match=f"unknown key '{key}'.*{meant}"):
        parse_recipe({**MINIMAL, key: 1}, "r")


WARM = {"name": "warm", "domains": ["math"], "max_steps": 3}
REST = {"name": "rest", "domains": ["math", "code"]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"curriculum": [WARM | {"domains": ["logic"]}, REST]}, "needs logic problems, but data"),
        ({"curriculum": [WARM | {"max_steps": None}, REST]}, "'rest' never begin; set its plateau"),
        ({"curriculum": [WARM, REST | {"name": "warm"}]}, "stages[1].name: 'warm' is taken"),
        ({"curriculum": [WARM | {"name": "final"}, REST]}, "'final' is no name for a stage"),
        ({"curriculum": [WARM | {"domains": []}]}, "curriculum.stages.0.domains"),
        ({"curriculum": []}, "curriculum.stages"),
        ({"curriculum": {"kind": "mixed", "plateau": None}}, "it belongs to kind staged"),
        (
            {"curriculum": [WARM, REST], "eval": {"at": ["warn"]}},
            "choose of base, warm, rest, f",
        ),
        ({"eval": {"at": ["stage3"]}}, "eval.at: 'stage3' is no point of this run"),
    ],
)
def test_stages_that_cannot_be_are_refused(change: dict[str, Any], complaint: str):
    train = [{"path": f"nano:{d}", "domain": d} for d in ("math", "code")]
    with pytest.raises(UserError) as error:
        parse_recipe({**MINIMAL, "data": {"train": train}, **change}, "r")
    assert complaint in str(error.value)


def test_stages_of_ones_own_are_a_recipe_that_survives_dumping(tmp_path: Path):
    train = [{"path": f"nano:{d}", "domain": d} for d in ("math", "code")]
    tree = {**MINIMAL, "data": {"train": train}, "curriculum": [WARM, REST]}
    recipe = parse_recipe(tree | {"eval": {"at": ["warm", "rest"]}}, "r")
    path = tmp_path / "r.yaml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(path) == recipe
    assert isinstance(recipe.curriculum, StagesConfig)
    assert [s.name for s in recipe.curriculum.stages] == ["warm", "rest"]


@pytest.mark.parametrize(
    "content", [b"model: [", b"- a\n- b\n", b"", b"\xff\xfe\x00", b"just text"]
)
def test_files_that_are_no_recipe(tmp_path: Path, content: bytes):
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"r\.yaml"):
        load_recipe(path)


def test_no_such_file(tmp_path: Path):
    with pytest.raises(UserError, match="no file"):
        load_recipe(tmp_path / "none.yaml")


def test_every_field_is_documented_and_nothing_can_be_changed_later():
    sections, seen = [Recipe], set()
    while sections:
        model = sections.pop()
        seen.add(model)
        for name, field in model.model_fields.items():
            found = _sections(field.annotation)
            fine = found or field.description or name in ("train", "kind")
            assert fine, f"{model.__name__}.{name}"
            sections += [section for section in found if section not in seen]
    assert len(seen) > 18
    with pytest.raises(ValueError, match="frozen"):
        parse_recipe(MINIMAL, "r").seed = 3


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for a in getattr(annotation, "__args__", ()) for s in _sections(a)]


def test_a_kind_alone_is_short_for_its_section(recipe: Path):
    for text in ("history", "{kind: history}", "{}", "{solved_at: 1.0}"):
        assert load_recipe(recipe, [f"sampler.strategy={text}"]) == parse_recipe(MINIMAL, "r")
    recipe.write_text(yaml.safe_dump(MINIMAL | {"sampler": {"strategy": "forecast"}}))
    found = load_recipe(recipe, ["sampler.strategy.min_prompts=3"]).sampler.strategy
    assert found == ForecastConfig(min_prompts=3)
    with pytest.raises(UserError, match="belongs to kind dynamic"):
        load_recipe(recipe, ["sampler.strategy.max_rounds=3"])


def test_a_strategy_of_ones_own_keeps_its_settings():
    own = {"kind": "some.module:Rule", "share": 0.5}
    found = parse_recipe(with_value("sampler.strategy", own), "r")
    assert found.model_dump()["sampler"]["strategy"] == own
    assert parse_recipe(yaml.safe_load(dump_recipe(found)), "again") == found
    short = parse_recipe(with_value("sampler.strategy", "some.module:Rule"), "r")
    assert short.sampler.strategy.kind == "some.module:Rule"


def test_an_override_reaches_into_a_list(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("model: nano\nmax_steps: 1\ncurriculum: {kind: math-only}\n"
                    "data: {train: [{path: a.jsonl, domain: math}]}\n")  # fmt: skip
    assert load_recipe(path, ["data.train.0.path=b.jsonl"]).data.train[0].path == "b.jsonl"
    for wrong in ("data.train.1.path=x", "data.train.first.path=x", "model.name=x"):
        with pytest.raises(UserError, match="--set"):
            load_recipe(path, [wrong])


@pytest.mark.parametrize(
    ("rollout", "complaint"),
    [
        ({"placement": "process"}, r"rollout\.placement: 'process' .*set rollout\.engine=vllm"),
        ({"engine": "vllm", "placement": "moon"}, r"rollout\.placement: .*'server', got 'moon'"),
        ({"engine": "vllm", "placement": "server"}, r"rollout\.server_url: required .* set it to"),
        (
            {"engine": "vllm", "placement": "server", "server_url": "gpu1:8000"},
            r"rollout\.server_url: must begin with http:// .*got 'gpu1:8000'",
        ),
        (
            {"engine": "vllm", "server_url": "http://gpu1:8000"},
            r"rollout\.server_url: 'http://gpu1:8000' .*set rollout\.placement=server",
        ),
        ({"tensor_parallel": 2}, r"rollout\.tensor_parallel: 2 .*set rollout\.engine=vllm"),
        (
            {"engine": "vllm", "tensor_parallel": 2},
            r"rollout\.tensor_parallel: 2.*set rollout\.placement=process",
        ),
        (
            {
                **{"engine": "vllm", "tensor_parallel": 2},
                **{"placement": "server", "server_url": "http://gpu1:8000"},
            },
            r"rollout\.tensor_parallel: 2 .*--tensor-parallel-size",
        ),
    ],
)
def test_a_placement_that_cannot_be_is_refused(rollout: dict[str, Any], complaint: str):
    with pytest.raises(UserError, match=complaint):
        parse_recipe({**MINIMAL, "rollout": rollout}, "r")


def test_a_server_is_a_placement():
    rollout = {"engine": "vllm", "placement": "server", "server_url": "http://gpu1:8000"}
    assert parse_recipe({**MINIMAL, "rollout": rollout}, "r").rollout.placement == "server"


def test_a_punishment_of_every_response_is_refused():
    tree = {**MINIMAL, "rollout": {"max_new_tokens": 64}}
    assert parse_recipe({**tree, "reward": {"overlong": 63}}, "r").reward.overlong == 63
    with pytest.raises(UserError, match=r"reward\.overlong: 64, with rollout\.max_new_tokens 64"):
        parse_recipe({**tree, "reward": {"overlong": 64}}, "r")
