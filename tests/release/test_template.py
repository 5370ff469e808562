"""Whoever asks through the released chat template asks with the training's own tokens."""

from __future__ import annotations

import copy
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from builders import nano_tokenizer
from srpo.data.prompts import Prompter
from srpo.domains import find_domains
from srpo.recipe.schema import Prompts
from srpo.release.template import chat_template
from srpo.types import Problem, UserError

BEGAN = datetime(2031, 5, 7)
DOMAINS = find_domains(["math", "code"])
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
    "{% endif %}"
)
# The first line is blank, and the second begins with spaces that `lstrip_blocks` takes away.
SPACED = "\n  {% for m in messages %}[{{ m['role'] }}] {{ m['content'] | trim }}\n{% endfor %}\n"
DATED = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}" + CHATML
# As Llama's: it takes the system message away from the messages, and writes the start token.
SLICING = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set said = messages[0].content %}"
    "{% set messages = messages[1:] %}{% else %}{% set said = 'none' %}{% endif %}"
    "S: {{ said }}{% for m in messages %}{{ '\n' + m.role }}: {{ m.content }}{% endfor %}"
)
# As gpt-oss': content may be parts, and there are macros.
PARTS = (
    "{%- macro say(m) %}{{ '<' ~ m.role ~ '>' }}{% if m.content is string %}{{ m.content }}"
    "{% else %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}{% endmacro %}"
    "{%- for message in messages %}{{ say(message) }}{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}"
)
ODD = 'Q\\n: {prompt} "it\'s" {{ x }} {% raw %} {# no #}\r\n\t{prompt}\u2028é😀\n'

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain": (None, {}),
    "plain, text around": (None, {"template": "{prompt}\n"}),
    "plain, odd text around": (None, {"template": ODD}),
    "plain, though there is a template": (CHATML, {"style": "plain", "template": "Q: {prompt}"}),
    "chat": (CHATML, {}),
    "chat, text around": (CHATML, {"template": "Answer in \\boxed{}.\n\n{prompt}\n"}),
    "chat, odd text around": (SPACED, {"template": ODD, "style": "chat"}),
    "chat, system": (CHATML, {"system": 'Think "hard".\n{{ no }} {% jinja %} é😀\r\n'}),
    "chat, system and text around": (SLICING, {"system": "Hm.", "template": "{prompt}?"}),
    "chat, arguments": (CHATML, {"chat_template_kwargs": {"enable_thinking": False}}),
    "chat, tools": (PARTS, {"chat_template_kwargs": {"tools": [{"a": [None, -1.5, True]}]}}),
    "chat, a special token of its own": (SLICING, {"chat_template_kwargs": {"bos_token": "B"}}),
    "chat, date": (DATED, {"system": "Hm."}),
    "chat, date alone": (DATED, {}),
    "chat, spaces": (SPACED, {}),
    "chat, spaces, system": (SPACED, {"system": "Hm."}),
    "chat, parts": (PARTS, {"template": "{prompt}\n"}),
    "named": ({"default": "d", "math": CHATML}, {"chat_template": "math", "system": "Hm."}),
    "default of several": ({"default": SLICING, "tool_use": "t"}, {"template": "{prompt}?"}),
}


def prompter(own: Any, starts: bool = False, **config: Any) -> Prompter:
    tokenizer = copy.deepcopy(nano_tokenizer())
    tokenizer.chat_template = own
    if starts:  # as Llama's and Gemma's do
        tokenizer.bos_token = "<|pad|>"
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single="<|pad|> $A", special_tokens=[("<|pad|>", tokenizer.bos_token_id)]
        )
    return Prompter(tokenizer, Prompts(**config), DOMAINS, BEGAN)


def released(asks: Prompter) -> Any:
    """The tokenizer as others have it."""
    tokenizer = copy.deepcopy(asks.tokenizer)
    tokenizer.chat_template = chat_template(asks, "math", tokenizer.eos_token)
    return tokenizer


def ids(tokenizer: Any, *messages: tuple[str, Any]) -> list[int]:
    chat = [{"role": role, "content": content} for role, content in messages]
    return tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]


def text(tokenizer: Any, *messages: tuple[str, Any], **more: Any) -> str:
    chat = [{"role": role, "content": content} for role, content in messages]
    return tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False, **more)


QUESTIONS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.lists(
        st.sampled_from(["{prompt}", "{{ x }}", "{%", "%}", "\\", '"', "\n", " ", "7", "<|pad|"]),
        min_size=1,
        max_size=9,
    ).map(lambda parts: "7" + "".join(parts)),  # a start token that begins it is dropped, if told
)


@pytest.mark.parametrize("starts", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_question_has_the_trainings_tokens(kind: str, starts: bool):
    own, config = KINDS[kind]
    asks = prompter(own, starts, **config)
    tokenizer = released(asks)

    @given(QUESTIONS)
    def same(question: str) -> None:
        found = ids(tokenizer, ("user", question))
        assert found == asks.ids(Problem("p", "math", question))
        if kind != "chat, text around":  # what a server makes of parts
            return
        assert ids(tokenizer, ("user", [{"type": "text", "text": question}])) == found

    same()


def test_the_start_token_stands_once_before_a_plain_prompt():
    asks = prompter(None, starts=True)
    start = asks.tokenizer.bos_token_id
    assert ids(released(asks), ("user", "1+1?")).count(start) == 1
    written = prompter(None, starts=True, template="<|pad|>{prompt}")
    assert ids(released(written), ("user", "1+1?")).count(start) == 1


@given(QUESTIONS)
def test_a_space_that_a_tokenizer_puts_before_a_text_is_kept(question: str):
    """As Llama 2's and Mistral's do, though not behind a start token that is written out."""
    asks = Prompter(spaced_tokenizer(), Prompts(template="{prompt}\n"), DOMAINS)
    tokenizer = released(asks)
    for text in (question, " " + question, "\n" + question):
        assert ids(tokenizer, ("user", text)) == asks.ids(Problem("p", "math", text))


@cache
def spaced_tokenizer() -> Any:
    inner = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)  # pyright: ignore
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>", *bytes_])
    inner.train_from_iterator(["What is 6 times 7?", "{prompt} {{ x }} is 7"], trainer)
    inner.post_processor = processors.TemplateProcessing(  # pyright: ignore
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_object=inner, **names)
    text = "What"
    assert tokenizer(text).input_ids != tokenizer(f"<s>{text}", add_special_tokens=False).input_ids
    return tokenizer


def test_a_template_that_nothing_is_added_to_stays_as_it_is():
    assert chat_template(prompter(CHATML), "math", "x") == CHATML
    assert chat_template(prompter(SPACED), "math", "x") == SPACED


def test_plain_turns_have_the_end_token_between_them():
    asks = prompter(None, template="Q: {prompt}\nA:")
    end = asks.tokenizer.eos_token
    turns = (("user", "1?"), ("assistant", " 1"), ("user", "2?"))
    assert text(released(asks), *turns) == f"Q: 1?\nA: 1{end}Q: 2?\nA:"


def test_every_question_of_a_chat_has_the_text_around_it():
    asks = prompter(CHATML, template="Q: {prompt}", system="Hm.")
    turns = (("user", "1?"), ("assistant", "1"), ("user", "2?"))
    said = text(released(asks), *turns)
    assert said == text(
        asks.tokenizer,
        *(("system", "Hm."), ("user", "Q: 1?"), ("assistant", "1"), ("user", "Q: 2?")),
    )


def test_a_system_message_of_the_callers_takes_the_place_of_the_recipes():
    asks = prompter(CHATML, system="Hm.")
    own = (("system", "Own."), ("user", "1?"))
    assert text(released(asks), *own) == text(asks.tokenizer, *own)


def test_arguments_are_defaults():
    asks = prompter(CHATML, chat_template_kwargs={"enable_thinking": False})
    tokenizer = released(asks)
    assert text(tokenizer, ("user", "1?")).endswith("<think></think>")
    assert not text(tokenizer, ("user", "1?"), enable_thinking=True).endswith("<think></think>")


def test_the_other_templates_stay():
    several = chat_template(prompter({"default": CHATML, "tool_use": "t"}), "math", "x")
    assert several == {"default": CHATML, "tool_use": "t"}


def test_what_a_template_cannot_hold_is_one_line():
    asks = prompter(CHATML, chat_template_kwargs={"enable_thinking": [float("nan")]})
    with pytest.raises(UserError, match=r"chat_template_kwargs: nan cannot be written"):
        chat_template(asks, "math", "x")
