"""A question becomes a prompt by the tokenizer's chat template or the recipe's plain one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from builders import nano_tokenizer
from srpo.data.prompts import Prompter
from srpo.domains import SHIPPED, find_domains
from srpo.recipe.schema import Data
from srpo.types import Problem, UserError

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
    return Prompter(tokenizer, Data(train=train, **config), find_domains(SHIPPED))  # pyright: ignore


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
