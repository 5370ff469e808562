"""Named formats: one answer, in its place, whatever the model tries."""

from __future__ import annotations

import json
import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.domains import find_domain
from srpo.recipe.schema import CodeFormat, MathFormat, RewardConfig
from srpo.types import Problem
from srpo.verifiers.code.blocks import extract_code
from srpo.verifiers.format import FORMATS
from srpo.verifiers.math.extract import extract_answer
from srpo.verifiers.math.json_answer import json_answer

MATH = Problem("m", "math", "What is one plus one?", answer="2")
CODE = Problem("c", "code", "Write f.", tests={})
BLOCK = "```python\nx = 1\n```"

CASES: dict[str, list[tuple[str, bool]]] = {
    "boxed": [
        ("So \\boxed{2}", True),
        ("So \\[ \\boxed{2}. \\]\n", True),
        ("So $\\boxed{\\frac{1}{2}}$.", True),
        ("<think>\\boxed{1}? no</think> \\boxed{2}", True),
        ("no opening tag: \\boxed{1}</think> \\boxed{2}", True),
        ("<think></think>\\boxed{2}", True),
        ("\\boxed{2} is the answer", False),
        ("\\boxed{2} \\boxed{2}", False),
        ("\\boxed{}", False),
        ("\\boxed{ }", False),
        ("\\boxed{2", False),
        ("2", False),
        ("", False),
        ("<think>\\boxed{2}", False),
        ("<think>\\boxed{2}</think>", False),
        ("<think>a</think><think>b</think>\\boxed{2}", False),
        ("Hi <think>a</think>\\boxed{2}", False),
        ("<think>\\boxed{1</think>\\boxed{2}", False),
    ],
    "fenced": [
        (f"So:\n{BLOCK}\n", True),
        (f"<think>\n```python\ny\n```\n</think>\n{BLOCK}", True),
        (f"{BLOCK}\nThat is it.", False),
        (f"{BLOCK}\n{BLOCK}", False),
        ("```\nx\n```", False),
        ("```python\n```", False),
        ("```python\nx = 1\n", False),
        ("x = 1", False),
        (f"<think>\n{BLOCK}\n</think>", False),
        (f"<think>\n```python\n</think>\n{BLOCK}", False),
        (f"<think>a</think>{BLOCK}", False),  # the verifier sees no fence at a line's start
    ],
    "tags": [
        ("<think>so</think><answer>2</answer>", True),
        ("\n<think>\nso\n</think>\n<answer>\n2\n</answer>\n", True),
        ("<think></think><answer>2</answer>", True),
        ("<think>so</think><answer> </answer>", False),
        ("<think>so</think>2", False),
        ("<answer>2</answer>", False),
        ("so</think><answer>2</answer>", True),  # the prompt may have opened it
        ("<answer>2</answer><think>so</think>", False),
        ("<think><answer>2</answer></think>", False),
        ("Hi <think>so</think><answer>2</answer>", False),
        ("<think>so</think> hence <answer>2</answer>", False),
        ("<think>so</think><answer>2</answer>.", False),
        ("<think>so</think><answer>2</answer><answer>2</answer>", False),
        ("<think>a<think>b</think><answer>2</answer>", False),
        ("<THINK>so</THINK><ANSWER>2</ANSWER>", False),
    ],
    "json": [
        ('{"answer": "2"}', True),
        (' {"answer": -2.50}\n', True),
        ('<think>so {"answer": 1}</think>{"answer": 2}', True),
        ('We add.\n```json\n{"answer": 2}\n```\n', True),
        ('We add. {"answer": 2}', False),
        ('```json\n{"answer": 2}\n```\nDone.', False),
        ('```json\n{"answer": 2}\n```\n```json\n{"answer": 2}\n```', False),
        ('```python\n{"answer": 2}\n```', False),
        ('```json\n{"answer": 2}', False),
        ('{"answer": 1, "answer": 2}', False),
        ('{"answer": 1, "why": 2}', False),
        ('{"Answer": 2}', False),
        ('{"answer": NaN}', False),
        ('{"answer": -Infinity}', False),
        ('{"answer": ""}', False),
        ('{"answer": null}', False),
        ('{"answer": true}', False),
        ('{"answer": [2]}', False),
        ('{"answer": {"answer": "2"}}', False),
        ('[["answer", "2"]]', False),
        ('{"answer": "\\ud800"}', False),
        ('{"answer": 2} {"answer": 2}', False),
        ("{'answer': 2}", False),
        ("{}", False),
        ("[" * 100_000, False),
        ("", False),
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "ok"), [(name, text, ok) for name, rows in CASES.items() for text, ok in rows]
)
def test_formats(name: str, text: str, ok: bool) -> None:
    assert FORMATS[name](text) is ok


def test_the_domain_and_the_recipe_choose() -> None:
    math, code = find_domain("math").format, find_domain("code").format
    plain, tags = RewardConfig(), RewardConfig(math_format="tags", code_format="tags")
    tagged = "<think>a</think><answer>2</answer>"
    assert [math(text, plain) for text in ("\\boxed{2}", BLOCK, tagged)] == [True, False, False]
    assert [code(text, plain) for text in ("\\boxed{2}", BLOCK, tagged)] == [False, True, False]
    assert [d(tagged, tags) for d in (math, code)] == [True, True]
    assert not math(tagged, RewardConfig(code_format="tags"))


def test_recipes_can_name_every_format_and_no_other() -> None:
    assert {*get_args(MathFormat), *get_args(CodeFormat)} == set(FORMATS)
    for wrong in ("xml", "fenced"):
        with pytest.raises(ValueError, match="'boxed', 'tags' or 'json'"):
            RewardConfig.model_validate({"math_format": wrong})


FRAGMENTS = [
    *("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "}", "2", " ", "\n", "so"),
    *("\n```python\n", "\n```\n", "```", "\n```json\n", '{"answer": "2"}', "$"),
]
anything = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


@given(anything)
def test_what_has_the_format_has_an_answer_that_the_verifiers_find(text: str) -> None:
    if FORMATS["boxed"](text):
        assert extract_answer(text)
    if FORMATS["fenced"](text):
        assert extract_code(text)


@given(st.text().filter(str.strip), st.booleans())
def test_json_gives_back_any_text(answer: str, ascii_only: bool) -> None:
    try:
        answer.encode()
    except UnicodeEncodeError:
        return
    text = json.dumps({"answer": answer}, ensure_ascii=ascii_only)
    assert json_answer(text) == answer.strip()


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_json_gives_back_numbers_as_written(number: float) -> None:
    assert json_answer(json.dumps({"answer": number})) == json.dumps(number)


MILLION = 10**6
LONG = {
    "boxes left open": "\\boxed{" * (MILLION // 7),
    "boxes without braces": "\\boxed " * (MILLION // 7),
    "closing marks": "\\boxed{2}" + ")" * MILLION + "x",
    "thinking": "<think>" * (MILLION // 7),
    "thoughts": "<think></think>" * (MILLION // 15),
    "answers": "<answer></answer>" * (MILLION // 17),
    "backticks": "`" * MILLION,
    "fences": "```\n" * (MILLION // 4),
    "lists": "[" * MILLION,
    "a long answer": '{"answer": "' + "a" * MILLION + '"}',
    "a long number": '{"answer": ' + "1" * MILLION + "}",
    "spaces": " " * MILLION + "x",
}


@pytest.mark.parametrize("shape", LONG)
@pytest.mark.parametrize("name", FORMATS)
def test_a_million_characters_take_no_time(name: str, shape: str) -> None:
    start = time.process_time()
    FORMATS[name](LONG[shape])
    assert time.process_time() - start < 2


def test_the_prompt_may_have_opened_the_thinking():
    for text in ("2</think><answer>3</answer>", "</think>\n<answer>3</answer>"):
        assert FORMATS["tags"](text)
        assert FORMATS["tags"](f"<think>{text}")
    for text in ("2</think>3", "<answer>3</answer>", "2</think></think><answer>3</answer>"):
        assert not FORMATS["tags"](text)
