"""A question becomes a prompt by the tokenizer's chat template or the recipe's plain one."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

import pytest
from tokenizers import processors

from builders import nano_tokenizer
from srpo.data.prompts import Prompter
from srpo.domains import SHIPPED, find_domains
from srpo.recipe.schema import Data
from srpo.types import Problem, UserError

DOMAINS = find_domains(SHIPPED)
PROBLEM = Problem("p7", "math", "What is {1+1}?", answer="2")
CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def prompter(chat: bool = False, **config: Any) -> Prompter:
    tokenizer = copy.deepcopy(nano_tokenizer())
    if chat:
        tokenizer.chat_template = CHAT
    train = [{"path": "nano:math", "domain": "math"}]
    return Prompter(tokenizer, Data(train=train, **config), DOMAINS)  # pyright: ignore


def test_a_plain_prompt_is_the_template_around_the_question() -> None:
    one = prompter(template="{{Q}} {prompt}\nA:")
    assert one.text(PROBLEM) == "{{Q}} What is {1+1}?\nA:", "braces are left alone"
    assert one.tokenizer.decode(one.ids(PROBLEM)) == one.text(PROBLEM)


@pytest.mark.parametrize(
    ("chat", "style", "rendered"),
    [
        (True, "auto", "<user>What is {1+1}?</><assistant>"),
        (True, "chat", "<user>What is {1+1}?</><assistant>"),
        (True, "plain", "What is {1+1}?"),
        (False, "auto", "What is {1+1}?"),
        (False, "plain", "What is {1+1}?"),
    ],
)
def test_style_decides_between_chat_and_plain(chat: bool, style: str, rendered: str) -> None:
    assert prompter(chat, style=style).text(PROBLEM) == rendered


def test_a_system_message_stands_first() -> None:
    text = prompter(True, system="Think.", template="Q: {prompt}").text(PROBLEM)
    assert text == "<system>Think.</><user>Q: What is {1+1}?</><assistant>"


def test_chat_without_a_template_is_refused() -> None:
    with pytest.raises(UserError, match=r"data.style: 'chat'.*no chat template"):
        prompter(style="chat")


def test_a_problem_is_rendered_once() -> None:
    one = prompter()
    before = one.ids(PROBLEM)
    one.tokenizer.chat_template = CHAT
    one.chat = True
    assert one.ids(PROBLEM) == before


def test_a_held_out_problem_may_have_the_id_of_another() -> None:
    one, other = prompter(), Problem(PROBLEM.id, "math", "And 2+2?", answer="4")
    assert one.tokenizer.decode(one.ids(PROBLEM)) == PROBLEM.prompt
    assert one.tokenizer.decode(one.ids(other)) == "And 2+2?"


def test_a_template_that_asks_for_the_time_gets_that_of_the_runs_beginning() -> None:
    tokenizer = copy.deepcopy(nano_tokenizer())
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }} {{ messages[-1]['content'] }}"
    config = prompter().config
    one, again, later = (
        Prompter(tokenizer, config, DOMAINS, datetime(2031, 5, day)) for day in (7, 7, 8)
    )
    assert one.text(PROBLEM) == "07 May 2031 What is {1+1}?"
    assert one.fingerprint([PROBLEM]) == again.fingerprint([PROBLEM])
    assert one.fingerprint([PROBLEM]) != later.fingerprint([PROBLEM])


def refusal(template: Any, **config: Any) -> str:
    tokenizer = copy.deepcopy(nano_tokenizer())
    tokenizer.chat_template = template
    with pytest.raises(UserError) as caught:
        Prompter(tokenizer, prompter().config.model_copy(update=config), DOMAINS).ids(PROBLEM)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_template_that_cannot_be_used_is_one_line() -> None:
    assert "TemplateSyntaxError" in refusal("{% if %}")
    assert "no user, please" in refusal("{{ raise_exception('no user, please') }}")
    assert "UndefinedError" in refusal("{{ messages[0].content.nothing.at.all }}")
    late = "{% if '{1+1}' in messages[0].content %}{{ 1 / 0 }}{% endif %}?"
    assert "division by zero" in refusal(late)


def test_a_system_message_that_is_refused_or_passed_over_says_so() -> None:
    refuses = "{% if messages[0].role != 'user' %}{{ raise_exception('user only') }}{% endif %}?"
    assert "data.system: 'Think.', but" in refusal(refuses, system="Think.")
    assert "user only" in refusal(refuses, system="Think.")
    assert "passes system messages over" in refusal("{{ messages[-1].content }}", system="Think.")


def test_of_several_templates_one_is_named() -> None:
    both = {"chat": "c {{ messages[0].content }}", "rag": "r {{ messages[0].content }}"}
    assert "choose one of chat, rag" in refusal(both)
    assert "'tool' is unknown; choose one of chat, rag" in refusal(both, chat_template="tool")
    assert "a single chat template" in refusal(CHAT, chat_template="chat")
    tokenizer = copy.deepcopy(nano_tokenizer())
    tokenizer.chat_template = both
    one = Prompter(
        tokenizer, prompter().config.model_copy(update={"chat_template": "rag"}), DOMAINS
    )
    assert one.text(PROBLEM) == "r What is {1+1}?"
    tokenizer.chat_template = {**both, "default": "d {{ messages[0].content }}"}
    assert Prompter(tokenizer, prompter().config, DOMAINS).text(PROBLEM) == "d What is {1+1}?"


def test_a_templates_arguments() -> None:
    template = "{{ messages[0].content }}{% if enable_thinking %}<think>{% endif %}"
    arguments = {"chat_template_kwargs": {"enable_thinking": True}}
    tokenizer = copy.deepcopy(nano_tokenizer())
    tokenizer.chat_template = template
    one = Prompter(tokenizer, prompter().config.model_copy(update=arguments), DOMAINS)
    assert one.text(PROBLEM).endswith("<think>")
    said = refusal(template, chat_template_kwargs={"enable_thinkin": True})
    assert "does not read 'enable_thinkin'; did you mean 'enable_thinking'?" in said


@pytest.mark.parametrize(("chat", "style"), [(False, "plain"), (True, "chat")])
def test_what_a_tokenizer_puts_behind_a_text_is_left_out(chat: bool, style: str) -> None:
    """It would end the answer before it begins."""
    one = prompter(chat, style=style)
    plain, end = one.ids(PROBLEM), one.tokenizer.eos_token
    one = prompter(chat, style=style)
    one.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, one.tokenizer.eos_token_id)]
    )
    assert one.tokenizer("1").input_ids[-1] == one.tokenizer.eos_token_id
    assert one.ids(PROBLEM) == plain


def test_the_start_token_is_not_written_twice() -> None:
    one = prompter(template="<|pad|>{prompt}")
    one.tokenizer.bos_token = "<|pad|>"
    one.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|pad|> $A", special_tokens=[("<|pad|>", one.tokenizer.bos_token_id)]
    )
    ids = one.ids(PROBLEM)
    assert ids.count(one.tokenizer.bos_token_id) == 1
    assert ids[0] == one.tokenizer.bos_token_id


def test_control_tokens_in_a_question_are_told() -> None:
    one = prompter()
    end = one.tokenizer.eos_token
    odd = [Problem(f"q{i}", "math", f"{i}{end}", answer="2") for i in range(3)]
    [said] = one.warnings([PROBLEM, *odd])
    assert f"3 questions has what the tokenizer reads as control tokens ({end!r} in 'q0')" in said
    assert one.warnings([PROBLEM]) == []


class WithStart:
    """A tokenizer that puts a start token before every text, as Gemma's and Llama's do."""

    def __init__(self, inner: Any):
        self.inner, self.chat_template = inner, inner.chat_template
        self.apply_chat_template = inner.apply_chat_template

    def __call__(self, text: str, add_special_tokens: bool = True) -> Any:
        found = self.inner(text)
        found["input_ids"] = [0] * add_special_tokens + found["input_ids"]
        return found


@pytest.mark.parametrize(("chat", "starts"), [(False, True), (True, False)])
def test_the_start_token_is_written_once(chat: bool, starts: bool) -> None:
    """A chat template writes its own special tokens; a plain prompt gets the tokenizer's."""
    one = prompter(chat)
    one.tokenizer = WithStart(one.tokenizer)
    assert (one.ids(PROBLEM)[0] == 0) == starts


def test_a_prompt_that_is_too_long_is_named() -> None:
    n = len(prompter().ids(PROBLEM))
    assert len(prompter(max_prompt_tokens=n).ids(PROBLEM)) == n
    with pytest.raises(UserError, match=rf"max_prompt_tokens: {n - 1}, .*'p7' has {n} tokens"):
        prompter(max_prompt_tokens=n - 1).ids(PROBLEM)


def test_overlong_prompts_are_an_error_or_left_out() -> None:
    problems = [Problem(str(n), "math", "x" * n, answer="1") for n in (2, 50, 3, 60)]
    with pytest.raises(UserError, match=r"problem '50' has \d+ tokens; .* data\.overlong=drop"):
        prompter(max_prompt_tokens=20).ids(problems[1])
    assert prompter(max_prompt_tokens=20).short_enough(problems) == problems, "for ids to refuse"
    kept = prompter(max_prompt_tokens=20, overlong="drop").short_enough(problems)
    assert [p.id for p in kept] == ["2", "3"]


def test_a_rows_own_system_message_is_used_unless_the_recipe_has_one() -> None:
    asked = Problem("p", "math", "1+1?", answer="2", meta={"system": "Be brief."})
    assert "<system>Be brief.</>" in prompter(chat=True).text(asked)
    assert "<system>Think.</>" in prompter(chat=True, system="Think.").text(asked)
    assert "<system>" not in prompter(chat=True).text(PROBLEM)
